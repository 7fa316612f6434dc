using System.Globalization;
using System.Text;
using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Raft.Tests.Clusters;

namespace Dledger.Raft.Tests.Scripts;

/// <summary>
/// Runs a story: blocks of commands, each followed by <c>----</c> and what they must print, separated by empty lines. Lines that
/// begin with # are the story's words. Commands are listed in <see cref="Execute"/>.
/// </summary>
internal sealed class ScriptRunner
{
    private readonly StringBuilder _printed = new();
    private readonly Dictionary<int, long[]> _logs = [];
    private readonly Dictionary<int, long> _terms = [];
    private TestCluster? _cluster;

    private TestCluster Cluster => _cluster ?? throw new FormatException("the first command is 'cluster'");

    /// <summary>The script with the answers as they are now.</summary>
    public static string Rewrite(string script)
    {
        var runner = new ScriptRunner();
        var output = new StringBuilder();
        var isAnswer = false;
        foreach (var line in script.Split('\n'))
        {
            if (line == "----")
            {
                isAnswer = true;
                output.Append("----\n").Append(runner.TakePrinted());
            }
            else if (line.Length == 0)
            {
                isAnswer = false;
                output.Append('\n');
            }
            else if (!isAnswer)
            {
                output.Append(line).Append('\n');
                if (!line.StartsWith('#'))
                {
                    runner.Execute(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
                }
            }
        }

        return output.ToString().TrimEnd('\n') + "\n";
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static int[] Numbers(IEnumerable<string> words) => [.. words.Select(Number)];

    private void Execute(string[] words)
    {
        var rest = words[1..];
        switch (words[0])
        {
            case "log":
                // log 2 1 1 3: node 2 has two frames of term 1 and one of term 3 on disk.
                _logs[Number(rest[0])] = [.. rest[1..].Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
                break;
            case "term":
                // term 2 5: node 2 has term 5 in its meta file.
                _terms[Number(rest[0])] = Number(rest[1]);
                break;
            case "cluster":
                // cluster 4 founders 3: nodes 1 to 4, of which the first three are the voters at first.
                var isFounded = rest.Length > 1 && rest[1] == "founders";
                Start(Number(rest[0]), isFounded ? Number(rest[2]) : null, rest.Length > 1 && !isFounded ? Numbers(rest[2..]) : []);
                break;
            case "trace":
                Cluster.IsTracing = rest[0] == "on";
                break;
            case "show":
                Notes();
                Cluster.Nodes.ForEach(node => _printed.Append(Describe.State(node)).Append('\n'));
                break;
            case "members":
                Notes();
                foreach (var node in Cluster.Nodes.Where(node => node.Core is not null))
                {
                    _printed.Append(CultureInfo.InvariantCulture, $"{node.Id} {Describe.Members(node.Core!.Configuration)}\n");
                }

                break;
            case "change":
                // change 1 promote 4 remove 3: asks node 1.
                Call(rest[0], (core, now) => core.ChangeConfiguration(now, ParseChange(rest[1..])));
                break;
            case "wipe":
                Cluster[Number(rest[0])].Wipe();
                break;
            case "lose":
                // lose 3 800: node 3, which is down, has only 800 bytes left and knows that it lost some.
                Cluster[Number(rest[0])].Lose(new LogPosition(Number(rest[1])));
                break;
            case "forget":
                // forget 1 1600: the log of node 1 begins at 1600 from now on.
                Cluster[Number(rest[0])].Log.AdvanceStart(new LogPosition(Number(rest[1])));
                Call(rest[0], (core, _) => core.LogStartAdvanced());
                break;
            case "tick":
                Cluster.TickAtDeadline(Number(rest[0]));
                break;
            case "elect":
                Cluster.Elect(Number(rest[0]));
                break;
            case "run":
                Cluster.Run(1_000L * Number(rest[0]));
                break;
            case "sleep":
                Cluster.Sleep(1_000L * Number(rest[0]));
                break;
            case "settle":
                Cluster.Settle();
                break;
            case "propose":
                Cluster.Propose(Number(rest[0]), rest.Length > 1 ? Number(rest[1]) : 1);
                break;
            case "deliver" when rest is ["all"]:
                Cluster.DeliverAll();
                break;
            case "deliver":
                Cluster.Deliver(Number(rest[0]), Number(rest[1]));
                break;
            case "drop":
                Cluster.Drop(Number(rest[0]), Number(rest[1]));
                break;
            case "partition":
                var bar = Array.IndexOf(rest, "|");
                Cluster.Partition(Numbers(rest[..bar]), Numbers(rest[(bar + 1)..]));
                break;
            case "block":
                Cluster.Block(Number(rest[0]), Number(rest[1]));
                break;
            case "heal":
                Cluster.Heal();
                break;
            case "kill":
                Cluster.Kill(Number(rest[0]), rest.Contains("silently"));
                break;
            case "restart":
                Cluster.Restart(Number(rest[0]));
                break;
            case "hold" or "release":
                Hold(rest[0], Cluster[Number(rest[1])], words[0] == "hold");
                break;
            case "sync":
                Cluster[Number(rest[0])].FinishSync();
                break;
            case "transfer":
                Call(rest[0], (core, now) => core.TransferLeadership(now, rest.Length > 1 ? new NodeId(Number(rest[1])) : null));
                break;
            case "resign":
                Call(rest[0], (core, now) => core.Resign(now));
                break;
            case "activate":
                Call(rest[0], (core, now) => core.Activate(now));
                break;
            case "stall":
                Call(rest[0], (core, now) => core.SyncPending(now, now));
                break;
            case "unstall":
                Call(rest[0], (core, now) => core.SyncPending(now, null));
                break;
            default:
                throw new FormatException($"unknown command '{words[0]}'");
        }

        Notes();
    }

    private void Start(int count, int? founderCount, int[] passive)
    {
        _cluster = new TestCluster(count, founderCount: founderCount);
        foreach (var (number, terms) in _logs)
        {
            _cluster[number].SetLog(new Term(_terms.GetValueOrDefault(number, terms.LastOrDefault())), terms);
        }

        _cluster.Boot(passive);
    }

    private ConfigurationChange ParseChange(string[] words)
    {
        var change = new ConfigurationChange();
        for (var i = 0; i < words.Length; i += 2)
        {
            // 3a is node 3 with its first storage, 3 the node with its present one.
            var isFirst = words[i + 1].EndsWith('a');
            var node = Cluster[Number(words[i + 1].TrimEnd('a'))];
            var member = isFirst ? new Member(node.Id, TestNode.StorageOf(node.Id, 1)) : node.Member;
            change = words[i] switch
            {
                "add" => change with { AddLearners = [.. change.AddLearners, member] },
                "promote" => change with { Promote = [.. change.Promote, member] },
                "remove" => change with { Remove = [.. change.Remove, member] },
                _ => throw new FormatException($"unknown change '{words[i]}'"),
            };
        }

        return change;
    }

    private void Call(string number, Action<RaftCore, long> call) => Cluster[Number(number)].Call(call);

    private static void Hold(string what, TestNode node, bool isHeld)
    {
        if (what == "meta")
        {
            node.HoldsMeta = isHeld;
        }
        else
        {
            node.HoldsSync = isHeld;
        }
    }

    private void Notes()
    {
        foreach (var note in _cluster?.TakeNotes() ?? [])
        {
            _printed.Append(note).Append('\n');
        }
    }

    private string TakePrinted()
    {
        var printed = _printed.ToString();
        _printed.Clear();
        return printed;
    }
}
