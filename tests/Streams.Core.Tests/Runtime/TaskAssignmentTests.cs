using Xunit;

namespace Streams.Core.Tests.Runtime;

/// <summary>Assignors of users.</summary>
public sealed class TaskAssignmentTests
{
    private static readonly TaskId _stateful = new(0, 0);
    private static readonly TaskId _stateless = new(1, 0);

    [Fact]
    public void State_tells_what_members_said()
    {
        var state = State(
            ("a", new MemberMetadata
            {
                ProcessId = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
                Threads = 3,
                Generation = 4,
                OwnedTasks = [_stateful],
                Positions = new Dictionary<TaskId, long> { [_stateful] = MemberMetadata.CaughtUp },
                ApplicationServer = "host:8080",
                Tags = new Dictionary<string, string> { ["zone"] = "z", [RackTraffic.RackTag] = "r1" },
            }),
            ("b", new MemberMetadata { ProcessId = Guid.Empty, Threads = 0, Generation = 3, OwnedTasks = [_stateful, _stateless], Positions = new Dictionary<TaskId, long> { [_stateful] = 30 } }),
            ("c", new MemberMetadata { ProcessId = Guid.Empty, Threads = 1, Positions = new Dictionary<TaskId, long> { [_stateful] = MemberMetadata.UnknownPosition } }));
        var a = state.Instances["a"];
        Assert.Equal((3, "r1", "host:8080", 0L, null), (a.NumProcessingThreads, a.RackId, a.HostInfo.ToString(), a.LagOf(_stateful), a.LagOf(_stateless)));
        Assert.Equal([_stateful], a.PreviousActiveTasks);
        Assert.Equal([_stateful], a.TasksWithState);
        Assert.Equal("z", a.ClientTags["zone"]);
        Assert.Equal(new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), a.ProcessId);
        var b = state.Instances["b"];

        // The later generation has it.
        Assert.Equal([_stateless], b.PreviousActiveTasks);
        Assert.Equal((70L, null, HostInfo.Unavailable), (b.LagOf(_stateful), b.RackId, b.HostInfo));
        Assert.Null(state.Instances["c"].LagOf(_stateful));
    }

    [Fact]
    public void Default_can_be_had_and_is_accepted()
    {
        var assignor = new Scripted(state => state.DefaultAssignment());
        var state = State(("a", Member()), ("b", Member()));
        var plan = AssignmentPlan.Ask(assignor, state);
        Assert.Equal(2, plan.Active.Values.Sum(tasks => tasks.Count));
        Assert.Equal([TaskAssignmentError.None], assignor.Errors);
    }

    [Theory]
    [InlineData(TaskAssignmentError.UnknownInstance, "a:0_0,1_0| x:|")]
    [InlineData(TaskAssignmentError.UnknownInstance, "a:0_0,1_0| a:|")]
    [InlineData(TaskAssignmentError.UnknownTask, "a:0_0,1_0,7_0|")]
    [InlineData(TaskAssignmentError.UnknownTask, "a:0_0,1_0|7_0")]
    [InlineData(TaskAssignmentError.ActiveTaskAssignedMultipleTimes, "a:0_0,1_0| b:0_0|")]
    [InlineData(TaskAssignmentError.ActiveTaskAssignedMultipleTimes, "a:0_0,0_0,1_0|")]
    [InlineData(TaskAssignmentError.InvalidStandbyTask, "a:0_0,1_0| b:|1_0")]
    [InlineData(TaskAssignmentError.ActiveAndStandbyTaskAssignedToSameInstance, "a:0_0,1_0|0_0")]
    [InlineData(TaskAssignmentError.ActiveTaskNotAssigned, "a:0_0| b:|0_0")]
    [InlineData(TaskAssignmentError.ActiveTaskNotAssigned, "")]
    [InlineData(TaskAssignmentError.None, "a:0_0| b:1_0|0_0")]
    public void Assignment_that_cannot_be_followed_is_refused_and_the_assignor_is_told(TaskAssignmentError error, string assignment)
    {
        var assignor = new Scripted(_ => Parse(assignment));
        var state = State(("a", Member()), ("b", Member()));
        if (error == TaskAssignmentError.None)
        {
            var plan = AssignmentPlan.Ask(assignor, state);
            Assert.Equal([_stateful], plan.Active["a"]);
            Assert.Equal([_stateful], plan.Standby["b"]);
        }
        else
        {
            var failure = Assert.Throws<TaskAssignmentException>(() => AssignmentPlan.Ask(assignor, state));
            Assert.Equal(error, failure.Error);
        }

        Assert.Equal([error], assignor.Errors);
    }

    [Fact]
    public void Nobody_needs_tasks_where_nobody_has_threads()
    {
        var plan = AssignmentPlan.Ask(new Scripted(_ => new TaskAssignment([])), State(("a", Member(threads: 0))));
        Assert.Empty(plan.Active["a"]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(int.MaxValue + 1L)]
    public void Follow_up_that_is_no_time_is_refused(long milliseconds) => Assert.Throws<InvalidOperationException>(() =>
        AssignmentPlan.Ask(new Scripted(_ => Parse("a:0_0,1_0|") with { FollowUpAfter = TimeSpan.FromMilliseconds(milliseconds) }), State(("a", Member()))));

    private static MemberMetadata Member(int threads = 1) => new() { ProcessId = Guid.Empty, Threads = threads };

    private static ApplicationState State(params (string Name, MemberMetadata Metadata)[] members)
    {
        var group = new GroupSituation
        {
            Members = members.ToDictionary(member => member.Name, member => member.Metadata),
            Tasks = [_stateful, _stateless],
            EndPositions = new Dictionary<TaskId, long> { [_stateful] = 100 },
        };
        return new ApplicationState(
            group,
            group.Tasks.ToDictionary(task => task, task => new TaskInfo(task, task == _stateful, [], [])),
            new AssignmentSettings(0, 1, 0, TimeSpan.FromMinutes(1), [], RackAwareAssignmentStrategy.None));
    }

    private static TaskAssignment Parse(string text) => new(
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split(':', '|')).Select(part => new InstanceAssignment(part[0], Tasks(part[1]), Tasks(part[2])))]);

    private static List<TaskId> Tasks(string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(task => task.Split('_')).Select(task => new TaskId(int.Parse(task[0], null), int.Parse(task[1], null)))];

    private sealed class Scripted(Func<ApplicationState, TaskAssignment> assign) : ITaskAssignor
    {
        public List<TaskAssignmentError> Errors { get; } = [];

        public TaskAssignment Assign(ApplicationState state) => assign(state);

        public void OnAssignmentComputed(TaskAssignment assignment, TaskAssignmentError error) => Errors.Add(error);
    }
}
