namespace Dledger.Bench.Targets;

/// <summary>Sends messages to a measured system. Safe for any thread: sends may begin while others are under way.</summary>
public interface IBenchProducer : IAsyncDisposable
{
    /// <summary>Sends bodies to one topic; ends when all are acknowledged, throws when one is not.</summary>
    /// <param name="topic">Number of the topic.</param>
    /// <param name="bodies">At most as many as the target takes at once. Borrowed, with their bytes, until the send has ended.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task SendAsync(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies, CancellationToken cancellationToken);
}
