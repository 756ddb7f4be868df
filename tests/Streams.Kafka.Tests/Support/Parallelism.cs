using Xunit;

// Most of these tests wait for time-outs and pauses of clients most of the time: one per core would leave the cores idle.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
