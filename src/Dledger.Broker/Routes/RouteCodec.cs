using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;
using Dledger.Primitives;

namespace Dledger.Broker.Routes;

/// <summary>The stored form of routes, as settings of their topic. Layout: Commands/FORMAT.md.</summary>
/// <remarks>
/// A checkpoint has all of them in one setting. A command adds or removes one, so that two operators at a time do not undo each other.
/// </remarks>
internal static class RouteCodec
{
    /// <summary>All routes of a topic.</summary>
    public const int All = 50;

    /// <summary>One more; only in commands.</summary>
    public const int Added = 51;

    /// <summary>The name of one that goes; only in commands.</summary>
    public const int Removed = 52;

    private const byte ByTag = 0;
    private const byte BySql = 1;

    // Name length, target, kind of filter, filter length.
    private const int BytesMin = 9;

    public static Setting Encode(IReadOnlyList<TopicRoute> routes)
    {
        var writer = new ByteWriter(256);
        writer.Int32(routes.Count);
        foreach (var route in routes)
        {
            Write(writer, route);
        }

        return new Setting(All, writer.ToArray());
    }

    public static Setting EncodeAdded(TopicRoute route)
    {
        var writer = new ByteWriter();
        Write(writer, route);
        return new Setting(Added, writer.ToArray());
    }

    public static Setting EncodeRemoved(string name)
    {
        var writer = new ByteWriter();
        writer.Text(name);
        return new Setting(Removed, writer.ToArray());
    }

    public static TopicRoute DecodeAdded(in Setting setting)
    {
        var reader = new ByteReader(setting.Content.Span);
        var route = Read(ref reader);
        reader.End();
        return route;
    }

    public static string DecodeRemoved(in Setting setting)
    {
        var reader = new ByteReader(setting.Content.Span);
        var name = reader.Text();
        reader.End();
        return name;
    }

    /// <summary>The routes of a topic with what a setting says; they keep the order of their names.</summary>
    public static IReadOnlyList<TopicRoute> Apply(IReadOnlyList<TopicRoute> routes, in Setting setting)
    {
        switch (setting.Tag)
        {
            case Added:
                return [.. routes.Append(DecodeAdded(setting)).OrderBy(route => route.Name, StringComparer.Ordinal)];
            case Removed:
                var removed = DecodeRemoved(setting);
                return [.. routes.Where(route => route.Name != removed)];
            default:
                var reader = new ByteReader(setting.Content.Span);
                var all = new TopicRoute[reader.Count(BytesMin)];
                for (var i = 0; i < all.Length; i++)
                {
                    all[i] = Read(ref reader);
                }

                reader.End();
                return all;
        }
    }

    private static void Write(ByteWriter writer, TopicRoute route)
    {
        writer.Text(route.Name);
        writer.Int32(route.TargetId);
        writer.Byte(route.Filter.Sql is null ? ByTag : BySql);
        writer.Text(route.Filter.Sql ?? route.Filter.Text);
    }

    private static TopicRoute Read(ref ByteReader reader)
    {
        var name = reader.Text();
        var targetId = reader.Int32();
        var kind = reader.Byte();
        var text = reader.Text();
        var isKnown = kind == BySql
            ? MessageFilter.TryParseSql(text, out var filter, out _)
            : MessageFilter.TryParseTags(text, out filter, out _);
        Invariant.Check(isKnown && kind is ByTag or BySql, $"the filter of route '{name}' was compiled before it was stored");
        return new TopicRoute(name, targetId, filter);
    }
}
