using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;

namespace Dledger.Broker.Groups;

/// <summary>The stored form of <see cref="GroupSettings"/>. Layout: Commands/FORMAT.md.</summary>
internal static class GroupSettingsCodec
{
    private const int MaxAttempts = 1;
    private const int Backoff = 2;
    private const int Mismatch = 30;
    private const int HasMixedFilters = 34;
    private const int Poison = 10;
    private const int BackoffOnExpiry = 11;
    private const int AckModeTag = 12;
    private const int Exclusive = 13;
    private const int MaxInFlight = 14;
    private const int MaxInFlightPerClient = 15;
    private const int Expiry = 16;
    private const int ReceiveMessagesPerSecond = 40;
    private const int ReceiveBytesPerSecond = 41;
    private const int Broadcast = 60;
    private const int MemberExpiry = 61;
    private const int DedupSourceTag = 50;
    private const int DedupProperty = 51;
    private const int DedupWindow = 52;
    private const int DedupCount = 53;
    private const int LiteSubscriptionQuota = 70;

    /// <summary>What differs from the defaults, by tag.</summary>
    public static List<Setting> Encode(GroupSettings settings) => Encode(new GroupChange
    {
        Name = "",
        MaxAttempts = settings.MaxAttempts == GroupSettings.Default.MaxAttempts ? null : settings.MaxAttempts,
        Backoff = settings.Backoff.Equals(GroupSettings.Default.Backoff) ? null : settings.Backoff,
        Mismatch = settings.Mismatch == GroupSettings.Default.Mismatch ? null : settings.Mismatch,
        HasMixedFilters = settings.HasMixedFilters ? true : null,
        Poison = Unless(settings.Poison, GroupSettings.Default.Poison),
        BackoffOnExpiry = Unless(settings.BackoffOnExpiry, GroupSettings.Default.BackoffOnExpiry),
        AckMode = Unless(settings.AckMode, GroupSettings.Default.AckMode),
        Exclusive = Unless(settings.Exclusive, GroupSettings.Default.Exclusive),
        MaxInFlight = Unless(settings.MaxInFlight, GroupSettings.Default.MaxInFlight),
        MaxInFlightPerClient = Unless(settings.MaxInFlightPerClient, GroupSettings.Default.MaxInFlightPerClient),
        Expiry = Unless(settings.Expiry, GroupSettings.Default.Expiry),
        ReceiveMessagesPerSecond = Unless(settings.ReceiveQuota.MessagesPerSecond, 0),
        ReceiveBytesPerSecond = Unless(settings.ReceiveQuota.BytesPerSecond, 0),
        Broadcast = Unless(settings.Broadcast, GroupSettings.Default.Broadcast),
        MemberExpiry = Unless(settings.MemberExpiry, GroupSettings.Default.MemberExpiry),
        DedupSource = Unless(settings.Dedup.Source, DedupSource.None),
        DedupProperty = settings.Dedup.Property.Length > 0 ? settings.Dedup.Property : null,
        DedupWindow = settings.Dedup.WindowMicroseconds > 0 ? TimeSpan.FromMicroseconds(settings.Dedup.WindowMicroseconds) : null,
        DedupCount = Unless(settings.Dedup.Count, 0),
        LiteSubscriptionQuota = Unless(settings.LiteSubscriptionQuota, GroupSettings.Default.LiteSubscriptionQuota),
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

        Add(Poison, (long?)change.Poison);
        Add(BackoffOnExpiry, ToInt64(change.BackoffOnExpiry));
        Add(AckModeTag, (long?)change.AckMode);
        Add(Exclusive, ToInt64(change.Exclusive));
        Add(MaxInFlight, change.MaxInFlight);
        Add(MaxInFlightPerClient, change.MaxInFlightPerClient);
        Add(Expiry, (long?)change.Expiry);
        Add(ReceiveMessagesPerSecond, change.ReceiveMessagesPerSecond);
        Add(ReceiveBytesPerSecond, change.ReceiveBytesPerSecond);
        Add(Broadcast, ToInt64(change.Broadcast));
        Add(MemberExpiry, change.MemberExpiry?.Ticks / TimeSpan.TicksPerMicrosecond);
        Add(DedupSourceTag, (long?)change.DedupSource);
        if (change.DedupSource is not null || change.DedupProperty is not null)
        {
            // Another source means another property, or none.
            list.Add(new Setting(DedupProperty, Encoding.UTF8.GetBytes(change.DedupProperty ?? "")));
        }

        Add(DedupWindow, change.DedupWindow is { } window ? window.Ticks / TimeSpan.TicksPerMicrosecond : null);
        Add(DedupCount, change.DedupCount);
        Add(LiteSubscriptionQuota, change.LiteSubscriptionQuota);
        return list;

        void Add(int tag, long? value)
        {
            if (value is { } given)
            {
                list.Add(Setting.Of(tag, given));
            }
        }
    }

    /// <summary>The settings with those of a list in the place of their own.</summary>
    public static GroupSettings Apply(GroupSettings settings, IReadOnlyList<Setting> list) => list.Aggregate(settings, Apply);

    private static GroupSettings Apply(GroupSettings settings, Setting setting) => setting.Tag switch
    {
        MaxAttempts => settings with { MaxAttempts = checked((int)setting.ToInt64()) },
        Backoff => settings with { Backoff = ReadBackoff(setting) },
        Mismatch => settings with { Mismatch = (MismatchPolicy)setting.ToInt64() },
        HasMixedFilters => settings with { HasMixedFilters = setting.ToInt64() != 0 },
        Poison => settings with { Poison = (PoisonMode)setting.ToInt64() },
        BackoffOnExpiry => settings with { BackoffOnExpiry = setting.ToInt64() != 0 },
        AckModeTag => settings with { AckMode = (AckMode)setting.ToInt64() },
        Exclusive => settings with { Exclusive = setting.ToInt64() != 0 },
        MaxInFlight => settings with { MaxInFlight = checked((int)setting.ToInt64()) },
        MaxInFlightPerClient => settings with { MaxInFlightPerClient = checked((int)setting.ToInt64()) },
        Expiry => settings with { Expiry = (ExpiryMode)setting.ToInt64() },
        ReceiveMessagesPerSecond => settings with
        {
            ReceiveQuota = settings.ReceiveQuota with { MessagesPerSecond = setting.ToInt64() },
        },
        ReceiveBytesPerSecond => settings with
        {
            ReceiveQuota = settings.ReceiveQuota with { BytesPerSecond = setting.ToInt64() },
        },
        Broadcast => settings with { Broadcast = setting.ToInt64() != 0 },
        MemberExpiry => settings with { MemberExpiry = TimeSpan.FromMicroseconds(setting.ToInt64()) },
        DedupSourceTag => settings with { Dedup = settings.Dedup with { Source = (DedupSource)setting.ToInt64() } },
        DedupProperty => settings with { Dedup = settings.Dedup with { Property = Encoding.UTF8.GetString(setting.Content.Span) } },
        DedupWindow => settings with { Dedup = settings.Dedup with { WindowMicroseconds = setting.ToInt64() } },
        DedupCount => settings with { Dedup = settings.Dedup with { Count = setting.ToInt64() } },
        LiteSubscriptionQuota => settings with { LiteSubscriptionQuota = checked((int)setting.ToInt64()) },
        _ => throw setting.Unknown("consumer group"),
    };

    private static T? Unless<T>(T value, T standard)
        where T : struct => value.Equals(standard) ? null : value;

    private static long? ToInt64(bool? value) => value is { } given ? (given ? 1 : 0) : null;

    private static BackoffPolicy ReadBackoff(Setting setting)
    {
        var reader = new ByteReader(setting.Content.Span);
        var policy = BackoffCodec.Read(ref reader);
        reader.End();
        return policy;
    }
}
