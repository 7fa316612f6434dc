using Dledger.Primitives;
using Dledger.Simulation.Nodes;
using Dledger.Testing.Schedules;

namespace Dledger.Raft.Tests.Logs;

/// <summary>
/// <see cref="EpochTable.FindMatch"/> against a twin that compares frame by frame, on logs that a history of leaders could have
/// left: each leader appends to its own log in its own term, followers take prefixes of it, crashes keep prefixes.
/// </summary>
public sealed class EpochMatchTests
{
    [Fact]
    public void The_match_of_two_epoch_tables_is_the_longest_common_prefix()
    {
        for (ulong seed = 1; seed <= 2_000; seed++)
        {
            var logs = Grow(new SimulationRandom(seed));
            foreach (var left in logs)
            {
                foreach (var right in logs)
                {
                    var match = EpochTable.FindMatch(
                        left.ScanEpochs().Epochs, left.End, right.ScanEpochs().Epochs, right.End);

                    Assert.True(match == SlowMatch(left, right), $"seed {seed}: {match}, frame by frame {SlowMatch(left, right)}");
                }
            }
        }
    }

    private static LogPosition SlowMatch(SimulatedLog left, SimulatedLog right)
    {
        var end = LogPosition.Zero;
        foreach (var (one, other) in left.Frames.Zip(right.Frames))
        {
            if (one.PrefixHash != other.PrefixHash)
            {
                break;
            }

            end = one.End;
        }

        return end;
    }

    private static List<SimulatedLog> Grow(SimulationRandom random)
    {
        var logs = Enumerable.Range(0, 4).Select(_ => new SimulatedLog([])).ToList();
        var leaderTerm = 0L;
        for (var reign = 0; reign < 12; reign++)
        {
            leaderTerm += random.Next(1, 3);
            var leader = logs[random.Next(logs.Count)];
            for (var count = random.Next(0, 4); count >= 0; count--)
            {
                leader.TryGetChain(leader.End, out var chain);
                leader.Append(SimulatedFrame.Create(
                    leader.End, 8 * (int)random.Next(9, 30), new Term(leaderTerm), FrameFlags.None, chain,
                    leader.PrefixHashAt(leader.End)!.Value, random.NextWord()));
            }

            for (var i = 0; i < logs.Count; i++)
            {
                if (random.Chance(0.5) && logs[i] != leader)
                {
                    // It follows up to some frame of the leader; what it had behind the common part is gone.
                    logs[i] = new SimulatedLog(leader.Frames.Take(random.Next(leader.Frames.Count + 1)));
                }
            }
        }

        return logs;
    }
}
