namespace Dledger.Broker.Messages;

/// <summary>
/// The hash of a message group: chooses its queue for ever and is stored in its records. Persisted, hence frozen.
/// </summary>
internal static class MessageGroupHash
{
    private const ulong OffsetBasis = 14_695_981_039_346_656_037;
    private const ulong Prime = 1_099_511_628_211;

    /// <summary>FNV-1a, 64 bits, over the UTF-8 bytes.</summary>
    public static long Of(string messageGroup)
    {
        using var text = new Utf8Text(messageGroup, stackalloc byte[Utf8Text.StackBytes]);
        return Of(text.Bytes);
    }

    /// <summary>The same for the UTF-8 text itself.</summary>
    public static long Of(ReadOnlySpan<byte> messageGroup)
    {
        var hash = OffsetBasis;
        foreach (var value in messageGroup)
        {
            hash = unchecked((hash ^ value) * Prime);
        }

        return unchecked((long)hash);
    }

    /// <summary>The queue of a message group.</summary>
    public static int QueueOf(long hash, int queueCount) => (int)((ulong)hash % (ulong)queueCount);
}
