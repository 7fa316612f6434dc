using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Faults;

/// <summary>F18: a stopped follower's log is damaged below its end. The node fetches what it lost from its peers before it
/// takes part again; the others go on.</summary>
/// <remarks>A restart reads from the last log checkpoint only: damage below it shows itself at the first read or to the
/// scrubber, days later, so that healing puts the bytes back where nobody has.</remarks>
/// <param name="isBlock">A block of 4 KiB becomes zeros; otherwise one bit is turned.</param>
internal sealed class DamageFault(bool isBlock) : IFault
{
    private const int PageBytes = 4096;

    private static readonly TimeSpan MendingPatience = TimeSpan.FromSeconds(20);

    private ChaosNode? _node;
    private string _file = "";
    private long _place;
    private byte[] _bytes = [];
    private bool _mustMend;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = await round.FollowerAsync(cancellationToken);
        await _node.KillAsync();
        Damage(round, _node.Place.DataDirectory);
        _node.Start();
        NodeStatus? status = null;
        var takesPart = await Wait.UntilAsync(
            MendingPatience,
            async () => (status = await round.Cluster.AskAsync(_node))?.Role is NodeRole.Follower or NodeRole.Leader
                && (IsMended() || !_mustMend),
            cancellationToken);
        round.Proof["mended"] = IsMended();
        round.Proof["answer"] = !_node.IsRunning ? $"ended with {await _node.Ended}" : $"{status?.Role}: {status?.State}";
        if (!takesPart)
        {
            round.Surprises.Add(status?.Role is NodeRole.Follower or NodeRole.Leader
                ? $"node {_node.Id} takes part although its log is damaged"
                : $"node {_node.Id} has not mended its log after {MendingPatience.TotalSeconds} s: {round.Proof["answer"]}");
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken) =>
        Task.FromResult(round.Proof.ContainsKey("answer"));

    public async Task HealAsync(FaultRound round)
    {
        if (_node is not { } node)
        {
            return;
        }

        if (_bytes.Length > 0 && !IsMended())
        {
            await node.KillAsync();
            using var file = File.Open(_file, FileMode.Open, FileAccess.Write);
            file.Position = _place;
            file.Write(_bytes);
        }

        if (!node.IsRunning)
        {
            node.Start();
        }
    }

    /// <summary>The bytes are as they were, or the file is gone for another one.</summary>
    private bool IsMended()
    {
        try
        {
            using var file = File.Open(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var now = new byte[_bytes.Length];
            file.Position = _place;
            return file.ReadAtLeast(now, now.Length, throwOnEndOfStream: false) < now.Length || now.AsSpan().SequenceEqual(_bytes);
        }
        catch (FileNotFoundException)
        {
            return true;
        }
    }

    /// <summary>Damages the log below its floor, where no interrupted write can be, and remembers what was there.</summary>
    private void Damage(FaultRound round, string directory)
    {
        var log = ReplicaLog.Read(directory);
        var isRead = log.Checkpoint < log.Floor - PageBytes;
        var (low, high) = isRead ? (log.Checkpoint, log.Floor) : (0, log.Checkpoint);
        var position = low + (long)((high - low) * 0.8 * round.Random.NextDouble());
        var (segment, file) = ReplicaLog.Segments(directory).Last(pair => pair.Key <= position);
        (_file, _place, _mustMend) = (file, PageBytes + position - segment, isRead);
        round.Proof["at"] = $"position {position}, checkpoint {log.Checkpoint}, floor {log.Floor}, end {log.End}";
        using var stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite);
        _bytes = new byte[isBlock ? PageBytes : 1];
        stream.Position = _place;
        stream.ReadExactly(_bytes);
        stream.Position = _place;
        stream.Write(isBlock ? new byte[PageBytes] : [(byte)(_bytes[0] ^ (1 << round.Random.Next(8)))]);
    }
}
