using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Effects;
using Dledger.Raft.Quorums;

namespace Dledger.Simulation.Clients;

/// <summary>Adds, promotes, removes and replaces members, mostly sensibly: never so that those left cannot decide.</summary>
internal sealed class MembershipOperator(SimulatedCluster cluster)
{
    private const int VoterCountMax = 5;

    private readonly HashSet<ConfigurationChange> _replacements = new(ReferenceEqualityComparer.Instance);

    public bool IsStopped { get; set; }

    public void Start()
    {
        if (cluster.Scenario.HasChanges)
        {
            Next();
        }
    }

    /// <summary>A leader answered.</summary>
    public void Finished(ConfigurationChangeFinished finished)
    {
        if (finished.Outcome == ConfigurationChangeOutcome.Done && finished.Change.Promote.Count > 0)
        {
            cluster.Marks.Reach(_replacements.Contains(finished.Change) ? "voter replaced" : "learner promoted");
        }

        cluster.Marks.Reach(finished.Outcome switch
        {
            ConfigurationChangeOutcome.Done => "change done",
            ConfigurationChangeOutcome.Refused => "change refused",
            _ => "change with unknown outcome",
        });
    }

    private void Next() => cluster.Events.After(cluster.Random.NextInterval(cluster.Scenario.ChangeInterval), () =>
    {
        if (!IsStopped)
        {
            foreach (var node in cluster.Nodes)
            {
                if (node.Core?.Role == RaftRole.Leader)
                {
                    node.Post("change", Change);
                }
            }

            Next();
        }
    });

    private void Change(RaftCore core, long now)
    {
        var present = core.Configuration;
        if (IsStopped || core.Role != RaftRole.Leader || Choose(core, present) is not { } change)
        {
            return;
        }

        if (!change.TryApply(present, out var next, out _) || !cluster.Damages.Allows(next.Final) || !cluster.Damages.Allows(next))
        {
            return;
        }

        if (change.Promote.Any(member => present.IsVoter(member.Node)))
        {
            _replacements.Add(change);
        }

        core.ChangeConfiguration(now, change);
    }

    private ConfigurationChange? Choose(RaftCore core, Configuration present)
    {
        var random = cluster.Random;
        var strangers = cluster.Nodes.Select(node => node.Disk.Member).Where(member => !present.Members.Contains(member)).ToArray();
        var learners = present.Learners.Where(member => !cluster.Damages.IsGone(member)).ToArray();
        switch (random.Next(5))
        {
            case 0 or 1 when learners.Length > 0:
                var learner = Any(learners);
                var isReplacement = present.IsVoter(learner.Node);
                var isSwap = !isReplacement && present.Voters.Count > 1 && random.Chance(0.3);
                return present.Voters.Count >= VoterCountMax && !isReplacement && !isSwap
                    ? null
                    : new ConfigurationChange { Promote = [learner], Remove = isSwap ? [Any(present.Voters)] : [] };
            case 2 when present.Voters.Count > 1:
                // The leader itself more often than chance would have it.
                var self = present.Voters.FirstOrDefault(voter => voter.Node == core.Leader);
                return ConfigurationChange.RemoveMember(self.Node != NodeId.None && random.Chance(0.3) ? self : Any(present.Voters));
            case 3 when present.Learners.Count > 0 && random.Chance(0.3):
                return ConfigurationChange.RemoveMember(Any(present.Learners));
            default:
                return strangers.Length > 0 && present.Learners.Count < 2 ? ConfigurationChange.AddLearner(Any(strangers)) : null;
        }
    }

    private Member Any(IReadOnlyList<Member> members) => members[cluster.Random.Next(members.Count)];
}
