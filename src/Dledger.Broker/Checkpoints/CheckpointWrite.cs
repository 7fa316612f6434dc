using Dledger.Storage.Checkpoints;
using Dledger.Storage.Disks;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Checkpoints;

/// <summary>
/// One state checkpoint on its way to the disk. <see cref="Run"/> is for any thread, once, while the apply loop goes on.
/// </summary>
/// <remarks>Order: the queue indexes first, then the parts, then the manifest.</remarks>
internal sealed class CheckpointWrite(
    StateCheckpointStore store,
    QueueSync queues,
    AppliedPoint applied,
    IReadOnlyList<(string Name, ReadOnlyMemory<byte> Content)> parts)
{
    private volatile bool _isDone;
    private volatile string? _noSpace;

    /// <summary>What the checkpoint describes.</summary>
    public AppliedPoint Applied => applied;

    public QueueSync Queues => queues;

    public long Bytes => parts.Sum(part => (long)part.Content.Length);

    /// <summary>The checkpoint is durable.</summary>
    public bool IsDone => _isDone;

    /// <summary>Why there is none: the disk is full. Null otherwise.</summary>
    public string? NoSpace => _noSpace;

    /// <summary>Writes it. A full disk is an outcome; any other fault is thrown, and the node must not go on.</summary>
    public void Run()
    {
        try
        {
            queues.Run();
            store.Write(applied.Position, applied.Term, applied.HeaderCrc, parts);
            _isDone = true;
        }
        catch (StorageFaultException fault) when (fault.IsNoSpace)
        {
            _noSpace = fault.Message;
        }
    }
}
