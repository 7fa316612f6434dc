using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>One setting of a topic or group in a record or checkpoint: which it is, and its value. Layout: FORMAT.md.</summary>
/// <remarks>
/// A list of them is a change when it stands in a command (what is not listed stays) and a description when it stands in a checkpoint
/// (what is not listed has its default). Tags are never used twice; an unknown one stops the node.
/// </remarks>
internal readonly record struct Setting(int Tag, ReadOnlyMemory<byte> Content)
{
    private const int HeaderBytes = 4;

    public static Setting Of(int tag, long value)
    {
        var content = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(content, value);
        return new Setting(tag, content);
    }

    /// <summary>The value that <see cref="Of(int, long)"/> was given.</summary>
    public long ToInt64()
    {
        Invariant.Check(Content.Length == 8, $"setting {Tag} has {Content.Length} bytes, not 8");
        return BinaryPrimitives.ReadInt64LittleEndian(Content.Span);
    }

    public static void Write(ByteWriter writer, IReadOnlyList<Setting> settings)
    {
        writer.Int32(settings.Count);
        foreach (var setting in settings)
        {
            writer.UInt16(setting.Tag);
            writer.UInt16(setting.Content.Length);
            writer.Bytes(setting.Content.Span);
        }
    }

    public static Setting[] Read(ref ByteReader reader)
    {
        var settings = new Setting[reader.Count(HeaderBytes)];
        for (var i = 0; i < settings.Length; i++)
        {
            var tag = reader.UInt16();
            settings[i] = new Setting(tag, reader.Take(reader.UInt16()).ToArray());
        }

        return settings;
    }

    /// <summary>What a codec does with a tag that it does not know.</summary>
    public InvariantViolationException Unknown(string owner) =>
        new($"setting {Tag} of a {owner} is unknown to this version; upgrade the node");
}
