using Dledger.Primitives;

namespace Dledger.Replication.Writing;

/// <summary>What the log writer tells its replication loop. Called on the writer's thread.</summary>
internal interface ILogWriterReports
{
    /// <summary>Frames up to a position are durable in the sense of the flush mode.</summary>
    /// <param name="position">End of the last frame of the batch.</param>
    /// <param name="generation">Of the write work.</param>
    /// <param name="workCount">How many <see cref="WriteFrames"/> the batch held.</param>
    void LogDurable(LogPosition position, uint generation, int workCount);

    /// <summary>A version of the metadata is durable.</summary>
    void MetadataDurable(long version);

    /// <summary>
    /// Damage was met where the log is to be cut. Nothing of it is written from here on: it has to be opened anew, which finds the damage
    /// and has it mended.
    /// </summary>
    void LogIsDamaged(string reason);

    /// <summary>The disk failed, or the writer did. It has ended; nothing later is durable.</summary>
    void WriterFailed(Exception fault);
}
