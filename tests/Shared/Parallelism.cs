// Most of these tests wait for time-outs, pauses of clients and other processes most of the time: one per core would leave the cores idle.
[assembly: Xunit.CollectionBehavior(MaxParallelThreads = 4)]
