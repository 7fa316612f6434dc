using Dledger.Primitives;

namespace Dledger.Storage.Checkpoints;

/// <summary>Keeps a state checkpoint's files until it is disposed. Any thread.</summary>
public sealed class CheckpointPin : IDisposable
{
    private readonly StateCheckpointStore _store;

    internal CheckpointPin(StateCheckpointStore store, string path, CheckpointManifest manifest)
    {
        _store = store;
        Path = path;
        Manifest = manifest;
    }

    /// <summary>The position up to which the state includes the log.</summary>
    public LogPosition Applied => Manifest.Applied;

    internal string Path { get; }

    internal CheckpointManifest Manifest { get; }

    /// <summary>Gives the checkpoint free.</summary>
    public void Dispose() => _store.Unpin(this);
}
