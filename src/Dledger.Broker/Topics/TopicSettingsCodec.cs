using Dledger.Broker.Commands;

namespace Dledger.Broker.Topics;

/// <summary>The stored form of <see cref="TopicSettings"/>. Layout: Commands/FORMAT.md.</summary>
internal static class TopicSettingsCodec
{
    private const int RetentionTime = 1;
    private const int RetentionBytes = 2;
    private const int IdWindowTime = 20;
    private const int IdWindowCount = 21;

    /// <summary>What differs from the defaults, by tag.</summary>
    public static List<Setting> Encode(TopicSettings settings)
    {
        var list = new List<Setting>();
        AddUnlessDefault(list, RetentionTime, settings.Retention.Microseconds);
        AddUnlessDefault(list, RetentionBytes, settings.Retention.Bytes);
        AddUnlessDefault(list, IdWindowTime, settings.IdWindow.Microseconds);
        AddUnlessDefault(list, IdWindowCount, settings.IdWindow.Count);
        return list;
    }

    /// <summary>What a change names, by tag.</summary>
    public static List<Setting> Encode(TopicChange change)
    {
        var list = new List<Setting>();
        if (change.RetentionTime is { } time)
        {
            list.Add(Setting.Of(RetentionTime, (long)time.TotalMicroseconds));
        }

        if (change.RetentionBytes is { } bytes)
        {
            list.Add(Setting.Of(RetentionBytes, bytes));
        }

        if (change.IdWindowTime is { } window)
        {
            list.Add(Setting.Of(IdWindowTime, (long)window.TotalMicroseconds));
        }

        if (change.IdWindowCount is { } count)
        {
            list.Add(Setting.Of(IdWindowCount, count));
        }

        return list;
    }

    /// <summary>The settings with those of a list in the place of their own.</summary>
    public static TopicSettings Apply(TopicSettings settings, IReadOnlyList<Setting> list) => list.Aggregate(settings, Apply);

    private static TopicSettings Apply(TopicSettings settings, Setting setting) => setting.Tag switch
    {
        RetentionTime => settings with { Retention = settings.Retention with { Microseconds = setting.ToInt64() } },
        RetentionBytes => settings with { Retention = settings.Retention with { Bytes = setting.ToInt64() } },
        IdWindowTime => settings with { IdWindow = settings.IdWindow with { Microseconds = setting.ToInt64() } },
        IdWindowCount => settings with { IdWindow = settings.IdWindow with { Count = setting.ToInt64() } },
        _ => throw setting.Unknown("topic"),
    };

    private static void AddUnlessDefault(List<Setting> list, int tag, long value)
    {
        if (value != 0)
        {
            list.Add(Setting.Of(tag, value));
        }
    }
}
