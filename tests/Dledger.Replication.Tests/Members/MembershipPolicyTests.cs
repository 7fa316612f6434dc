using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Quorums;
using Dledger.Replication.Members;

namespace Dledger.Replication.Tests.Members;

/// <summary>What a leader does about its members, with simulated time and without any node.</summary>
public sealed class MembershipPolicyTests
{
    private const long Second = 1_000_000;

    private readonly Scene _scene = new();

    [Fact]
    public async Task A_node_is_added_as_a_learner_and_promoted_until_it_is_not_refused_any_more()
    {
        var asked = _scene.Ask(MembershipChange.Add(PlaceOf(4)));
        Assert.Null(_scene.Next());
        Assert.Equal([new NodeId(4)], _scene.Policy.Wanted);
        _scene.Connect(4, storage: 4, isFresh: true);
        Assert.Null(_scene.Next());
        _scene.Connect(4, storage: 4);

        var learner = _scene.Next()!;
        Assert.Equal([Scene.MemberOf(4, 4)], learner.AddLearners);
        _scene.Commit(learner);
        var refused = _scene.Next()!;
        Assert.Equal([Scene.MemberOf(4, 4)], refused.Promote);
        _scene.Finish(refused, ConfigurationChangeOutcome.Refused, "it is behind");
        Assert.Null(_scene.Next());
        _scene.Now += MembershipPolicy.RetryDelay;
        var promoted = _scene.Next()!;
        Assert.False(asked.IsCompleted);
        _scene.Commit(promoted);

        Assert.Equal(MembershipOutcome.Done, await asked);
        Assert.Contains(Scene.MemberOf(4, 4), _scene.Configuration.Voters);
        Assert.False(_scene.Policy.IsWaiting);
    }

    [Fact]
    public async Task A_new_leader_that_is_asked_again_goes_on_where_the_old_one_stopped()
    {
        _scene.Connect(4, storage: 4);
        var first = _scene.Ask(MembershipChange.Add(PlaceOf(4)));
        _scene.Commit(_scene.Next()!);
        _scene.Policy.Stop(new MembershipOutcome(MembershipOutcomeKind.Unknown, "lost", NodeId.None));
        Assert.Equal(MembershipOutcomeKind.Unknown, (await first).Kind);
        Assert.Null(_scene.Next());

        var again = _scene.Ask(MembershipChange.Add(PlaceOf(4)));
        var next = _scene.Next()!;

        Assert.Equal([Scene.MemberOf(4, 4)], next.Promote);
        _scene.Commit(next);
        Assert.Equal(MembershipOutcome.Done, await again);
        Assert.Null(_scene.Next());
        var third = _scene.Ask(MembershipChange.Add(PlaceOf(4)));
        Assert.Null(_scene.Next());
        Assert.Equal(MembershipOutcome.Done, await third);
    }

    [Fact]
    public async Task Who_is_out_of_patience_hears_what_the_change_waits_for_and_it_goes_on()
    {
        var asked = _scene.Ask(MembershipChange.Add(PlaceOf(4)), patience: Second);
        Assert.Null(_scene.Next());
        _scene.Now += Second;
        Assert.Null(_scene.Next());

        var outcome = await asked;
        Assert.Equal(MembershipOutcomeKind.Pending, outcome.Kind);
        Assert.Contains("cannot be reached at host-4:9004", outcome.Reason, StringComparison.Ordinal);
        _scene.Connect(4, storage: 4);
        Assert.NotNull(_scene.Next());
    }

    [Fact]
    public async Task A_tenth_voter_is_refused_and_one_of_nine_may_still_be_replaced()
    {
        _scene.Configuration = new([.. Enumerable.Range(1, 9).Select(node => Scene.MemberOf(node, node))]);
        for (var node = 4; node <= 10; node++)
        {
            _scene.Connect(node, storage: node);
        }

        var tenth = _scene.Ask(MembershipChange.Add(PlaceOf(10)));
        Assert.Null(_scene.Next());
        var outcome = await tenth;
        Assert.Equal(MembershipOutcomeKind.Refused, outcome.Kind);
        Assert.Contains("9 voters", outcome.Reason, StringComparison.Ordinal);

        _scene.Connect(9, storage: 99);
        _ = _scene.Ask(MembershipChange.Add(PlaceOf(9)));
        Assert.NotNull(_scene.Next());
    }

    [Fact]
    public async Task A_node_that_does_not_let_the_leader_in_is_quoted()
    {
        var asked = _scene.Ask(MembershipChange.Add(PlaceOf(4)), patience: Second);
        _scene.Refusals[new NodeId(4)] = "it refuses this node: go away";
        _scene.Now += Second;
        Assert.Null(_scene.Next());

        Assert.Contains("host-4:9004: it refuses this node: go away", (await asked).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wish_that_nobody_asks_for_any_more_is_forgotten()
    {
        _scene.Ask(MembershipChange.Add(PlaceOf(4)), patience: Second);
        _scene.Now += MembershipPolicy.WishLifetime + (2 * Second);
        Assert.Null(_scene.Next());

        _scene.Connect(4, storage: 4);

        Assert.Null(_scene.Next());
        Assert.False(_scene.Policy.IsWaiting);
    }

    [Fact]
    public void A_voter_seen_with_another_directory_is_replaced_after_a_while()
    {
        _scene.Connect(3, storage: 33);
        Assert.Null(_scene.Next());
        _scene.Now += MembershipPolicy.ReplaceDelay - 1;
        Assert.Null(_scene.Next());
        _scene.Now += 1;

        var learner = _scene.Next()!;
        Assert.Equal([Scene.MemberOf(3, 33)], learner.AddLearners);
        _scene.Commit(learner);
        var swap = _scene.Next()!;
        Assert.Equal([Scene.MemberOf(3, 33)], swap.Promote);
        _scene.Commit(swap);

        Assert.Equal(
            [Scene.MemberOf(1, 1), Scene.MemberOf(2, 2), Scene.MemberOf(3, 33)], _scene.Configuration.Voters);
        Assert.Null(_scene.Next());
    }

    [Fact]
    public void A_voter_that_comes_back_with_its_old_directory_is_left_alone()
    {
        _scene.Connect(3, storage: 33);
        Assert.Null(_scene.Next());
        _scene.Now += MembershipPolicy.ReplaceDelay / 2;
        _scene.Connect(3, storage: 3);
        Assert.Null(_scene.Next());
        _scene.Connect(3, storage: 33);
        Assert.Null(_scene.Next());
        _scene.Now += MembershipPolicy.ReplaceDelay / 2;

        Assert.Null(_scene.Next());
    }

    [Fact]
    public void Two_wiped_voters_are_replaced_one_after_the_other()
    {
        _scene.Configuration = new Configuration(Enumerable.Range(1, 5).Select(id => Scene.MemberOf(id, id)));
        _scene.Connect(4, storage: 44);
        _scene.Connect(5, storage: 55);
        Assert.Null(_scene.Next());
        _scene.Now += MembershipPolicy.ReplaceDelay;

        var steps = new List<ConfigurationChange>();
        while (_scene.Next() is { } step)
        {
            steps.Add(step);
            _scene.Commit(step);
            _scene.Now += MembershipPolicy.ReplaceDelay;
        }

        Assert.Equal(
            ["+4", "^4", "+5", "^5"],
            steps.Select(step => step.AddLearners.Count > 0 ? $"+{step.AddLearners[0].Node}" : $"^{step.Promote[0].Node}"));
    }

    [Fact]
    public void Without_automatic_replacement_only_a_request_replaces()
    {
        var scene = new Scene(autoReplace: false);
        scene.Connect(3, storage: 33);
        Assert.Null(scene.Next());
        scene.Now += 2 * MembershipPolicy.ReplaceDelay;
        Assert.Null(scene.Next());

        scene.Ask(MembershipChange.Add(PlaceOf(3)));

        Assert.Equal([Scene.MemberOf(3, 33)], scene.Next()!.AddLearners);
    }

    [Fact]
    public async Task A_node_leaves_with_all_its_directories_and_once_is_enough()
    {
        _scene.Configuration = new Configuration(_scene.Configuration.Voters, [Scene.MemberOf(3, 33)]);
        var asked = _scene.Ask(MembershipChange.Remove(new NodeId(3)));

        var change = _scene.Next()!;
        Assert.Equal([Scene.MemberOf(3, 3), Scene.MemberOf(3, 33)], change.Remove);
        _scene.Commit(change);

        Assert.Equal(MembershipOutcome.Done, await asked);
        var again = _scene.Ask(MembershipChange.Remove(new NodeId(3)));
        Assert.Null(_scene.Next());
        Assert.Equal(MembershipOutcome.Done, await again);
    }

    [Fact]
    public async Task The_only_voter_cannot_leave()
    {
        _scene.Configuration = new Configuration([Scene.MemberOf(1, 1)]);
        var asked = _scene.Ask(MembershipChange.Remove(new NodeId(1)));

        Assert.Null(_scene.Next());

        Assert.Equal(MembershipOutcomeKind.Refused, (await asked).Kind);
    }

    [Fact]
    public void A_removal_waits_while_those_left_could_not_decide()
    {
        _scene.Disconnect(2);
        _scene.Ask(MembershipChange.Remove(new NodeId(3)));
        Assert.Null(_scene.Next());

        _scene.Connect(2, storage: 2);

        Assert.NotNull(_scene.Next());
    }

    [Fact]
    public async Task The_later_of_two_opposite_wishes_counts()
    {
        var added = _scene.Ask(MembershipChange.Add(PlaceOf(4)));
        Assert.Null(_scene.Next());

        var removed = _scene.Ask(MembershipChange.Remove(new NodeId(4)));

        Assert.Equal(MembershipOutcomeKind.Refused, (await added).Kind);
        Assert.Null(_scene.Next());
        Assert.Equal(MembershipOutcome.Done, await removed);
    }

    [Fact]
    public void Nothing_begins_while_another_change_is_under_way()
    {
        _scene.Connect(4, storage: 4);
        _scene.Ask(MembershipChange.Add(PlaceOf(4)));
        _scene.IsSettled = false;
        Assert.Null(_scene.Next());

        _scene.IsSettled = true;

        Assert.NotNull(_scene.Next());
    }

    private static ClusterMember PlaceOf(int node) => new(new NodeId(node), $"host-{node}", 9000 + node);

    /// <summary>A leader, node 1 of three voters, and what it sees.</summary>
    private sealed class Scene
    {
        private readonly Dictionary<NodeId, ConnectedPeer> _peers = [];

        public Scene(bool autoReplace = true)
        {
            Policy = new MembershipPolicy(autoReplace);
            Connect(2, storage: 2);
            Connect(3, storage: 3);
        }

        public MembershipPolicy Policy { get; }

        public Dictionary<NodeId, string> Refusals { get; } = [];

        public Configuration Configuration { get; set; } =
            new([MemberOf(1, 1), MemberOf(2, 2), MemberOf(3, 3)]);

        public bool IsSettled { get; set; } = true;

        public long Now { get; set; } = 5 * Second;

        public static Member MemberOf(int node, int storage) =>
            new(new NodeId(node), new Guid([.. Enumerable.Repeat((byte)storage, 16)]));

        public void Connect(int node, int storage, bool isFresh = false) =>
            _peers[new NodeId(node)] = new ConnectedPeer(MemberOf(node, storage).StorageId, isFresh);

        public void Disconnect(int node) => _peers.Remove(new NodeId(node));

        public Task<MembershipOutcome> Ask(MembershipChange change, long patience = 600 * Second)
        {
            var completion = new TaskCompletionSource<MembershipOutcome>();
            Policy.Ask(Now, change, patience, completion);
            return completion.Task;
        }

        public ConfigurationChange? Next() => Policy.Next(new MembershipView
        {
            Now = Now,
            Self = MemberOf(1, 1),
            Configuration = Configuration,
            IsSettled = IsSettled,
            Peers = _peers,
            Refusals = Refusals,
        });

        /// <summary>Raft does what was asked for, both halves of it.</summary>
        public void Commit(ConfigurationChange change)
        {
            Assert.True(change.TryApply(Configuration, out var next, out var fault), fault);
            Configuration = next.Final;
            Finish(change, ConfigurationChangeOutcome.Done, null);
        }

        public void Finish(ConfigurationChange change, ConfigurationChangeOutcome outcome, string? reason) =>
            Policy.Finished(Now, change, outcome, reason);
    }
}
