namespace Dledger.Broker.Commands;

/// <summary>A list of 8-byte numbers in a record.</summary>
internal static class IdList
{
    public static void Write(ByteWriter writer, IReadOnlyList<long> ids)
    {
        writer.Int32(ids.Count);
        foreach (var id in ids)
        {
            writer.Int64(id);
        }
    }

    public static long[] Read(ref ByteReader reader)
    {
        var ids = new long[reader.Count(8)];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = reader.Int64();
        }

        return ids;
    }
}
