using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Clusters;

/// <summary>Asks the leader for the configuration over and over and keeps every one that differs from the one before.</summary>
internal sealed class MemberWatch : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _over = new();
    private readonly List<string> _seen = [];
    private readonly Task _task;

    private MemberWatch(ChaosCluster cluster, string first)
    {
        Note(first);
        _task = RunAsync(cluster);
    }

    /// <summary>The configurations in order, such as <c>1 voter, 2 voter, 3 leaving</c>.</summary>
    public IReadOnlyList<string> Seen
    {
        get
        {
            lock (_seen)
            {
                return [.. _seen];
            }
        }
    }

    /// <summary>Begins with the configuration of this moment.</summary>
    public static async Task<MemberWatch> StartAsync(ChaosCluster cluster) =>
        new(cluster, Describe(await cluster.MembersAsync()));

    /// <summary>A configuration as one line; nodes without a part in it are left out.</summary>
    public static string Describe(IReadOnlyDictionary<int, MemberRole> members) => string.Join(
        ", ",
        members.Where(member => member.Value is not (MemberRole.MemberNone or MemberRole.Unspecified)).OrderBy(member => member.Key)
            .Select(member => $"{member.Key} {member.Value.ToString()["Member".Length..].ToLowerInvariant()}"));

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _task;
        _over.Dispose();
    }

    private async Task RunAsync(ChaosCluster cluster)
    {
        try
        {
            while (true)
            {
                Note(Describe(await cluster.MembersAsync()));
                await Wait.ForAsync(Period, _over.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The round is over.
        }
    }

    private void Note(string members)
    {
        lock (_seen)
        {
            if (members.Length > 0 && (_seen.Count == 0 || _seen[^1] != members))
            {
                _seen.Add(members);
            }
        }
    }
}
