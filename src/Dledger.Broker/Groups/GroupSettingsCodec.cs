using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;

namespace Dledger.Broker.Groups;

/// <summary>The stored form of <see cref="GroupSettings"/>. Layout: Commands/FORMAT.md.</summary>
internal static class GroupSettingsCodec
{
    private const int MaxAttempts = 1;
    private const int Backoff = 2;
    private const int Mismatch = 30;
    private const int HasMixedFilters = 34;

    /// <summary>What differs from the defaults, by tag.</summary>
    public static List<Setting> Encode(GroupSettings settings) => Encode(new GroupChange
    {
        Name = "",
        MaxAttempts = settings.MaxAttempts == GroupSettings.Default.MaxAttempts ? null : settings.MaxAttempts,
        Backoff = settings.Backoff.Equals(GroupSettings.Default.Backoff) ? null : settings.Backoff,
        Mismatch = settings.Mismatch == GroupSettings.Default.Mismatch ? null : settings.Mismatch,
        HasMixedFilters = settings.HasMixedFilters ? true : null,
    });

    /// <summary>What a change names, by tag.</summary>
    public static List<Setting> Encode(GroupChange change)
    {
        var list = new List<Setting>();
        if (change.MaxAttempts is { } attempts)
        {
            list.Add(Setting.Of(MaxAttempts, attempts));
        }

        if (change.Backoff is { } backoff)
        {
            var writer = new ByteWriter();
            BackoffCodec.Write(writer, backoff);
            list.Add(new Setting(Backoff, writer.ToArray()));
        }

        if (change.Mismatch is { } mismatch)
        {
            list.Add(Setting.Of(Mismatch, (long)mismatch));
        }

        if (change.HasMixedFilters is { } isMixed)
        {
            list.Add(Setting.Of(HasMixedFilters, isMixed ? 1 : 0));
        }

        return list;
    }

    /// <summary>The settings with those of a list in the place of their own.</summary>
    public static GroupSettings Apply(GroupSettings settings, IReadOnlyList<Setting> list) => list.Aggregate(settings, Apply);

    private static GroupSettings Apply(GroupSettings settings, Setting setting) => setting.Tag switch
    {
        MaxAttempts => settings with { MaxAttempts = checked((int)setting.ToInt64()) },
        Backoff => settings with { Backoff = ReadBackoff(setting) },
        Mismatch => settings with { Mismatch = (MismatchPolicy)setting.ToInt64() },
        HasMixedFilters => settings with { HasMixedFilters = setting.ToInt64() != 0 },
        _ => throw setting.Unknown("consumer group"),
    };

    private static BackoffPolicy ReadBackoff(Setting setting)
    {
        var reader = new ByteReader(setting.Content.Span);
        var policy = BackoffCodec.Read(ref reader);
        reader.End();
        return policy;
    }
}
