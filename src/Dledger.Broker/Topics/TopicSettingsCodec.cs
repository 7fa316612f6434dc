using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Lites;
using Dledger.Broker.Routes;
using Dledger.Broker.Transactions;

namespace Dledger.Broker.Topics;

/// <summary>The stored form of <see cref="TopicSettings"/>. Layout: Commands/FORMAT.md.</summary>
internal static class TopicSettingsCodec
{
    private const int RetentionTime = 1;
    private const int RetentionBytes = 2;
    private const int IdWindowTime = 20;
    private const int IdWindowCount = 21;
    private const int FirstCheck = 10;
    private const int CheckInterval = 11;
    private const int CheckCountMax = 12;
    private const int WebhookUrl = 13;
    private const int WebhookSecret = 14;
    private const int ProduceMessagesPerSecond = 40;
    private const int ProduceBytesPerSecond = 41;
    private const int LiteExpiry = 60;
    private const int LiteTopicsMax = 61;

    /// <summary>What differs from the defaults, by tag.</summary>
    public static List<Setting> Encode(TopicSettings settings)
    {
        var list = new List<Setting>();
        AddUnlessDefault(list, RetentionTime, settings.Retention.Microseconds);
        AddUnlessDefault(list, RetentionBytes, settings.Retention.Bytes);
        AddUnlessDefault(list, IdWindowTime, settings.IdWindow.Microseconds);
        AddUnlessDefault(list, IdWindowCount, settings.IdWindow.Count);
        var checks = TransactionChecks.Default;
        AddUnless(list, FirstCheck, settings.Checks.FirstMicroseconds, checks.FirstMicroseconds);
        AddUnless(list, CheckInterval, settings.Checks.IntervalMicroseconds, checks.IntervalMicroseconds);
        AddUnless(list, CheckCountMax, settings.Checks.CountMax, checks.CountMax);
        AddUnlessEmpty(list, WebhookUrl, settings.Webhook.Url);
        AddUnlessEmpty(list, WebhookSecret, settings.Webhook.Secret);
        AddUnlessDefault(list, ProduceMessagesPerSecond, settings.ProduceQuota.MessagesPerSecond);
        AddUnlessDefault(list, ProduceBytesPerSecond, settings.ProduceQuota.BytesPerSecond);
        if (settings.Routes.Count > 0)
        {
            list.Add(RouteCodec.Encode(settings.Routes));
        }

        AddUnless(list, LiteExpiry, settings.Lite.ExpiryMicroseconds, LiteSettings.Default.ExpiryMicroseconds);
        AddUnless(list, LiteTopicsMax, settings.Lite.CountMax, LiteSettings.Default.CountMax);
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

        if (change.IdWindowCount is { } known)
        {
            list.Add(Setting.Of(IdWindowCount, known));
        }

        if (change.FirstCheck is { } first)
        {
            list.Add(Setting.Of(FirstCheck, (long)first.TotalMicroseconds));
        }

        if (change.CheckInterval is { } interval)
        {
            list.Add(Setting.Of(CheckInterval, (long)interval.TotalMicroseconds));
        }

        if (change.CheckCountMax is { } count)
        {
            list.Add(Setting.Of(CheckCountMax, count));
        }

        if (change.Webhook is { } webhook)
        {
            list.Add(new Setting(WebhookUrl, Encoding.UTF8.GetBytes(webhook.Url)));
            list.Add(new Setting(WebhookSecret, Encoding.UTF8.GetBytes(webhook.Secret)));
        }

        if (change.ProduceMessagesPerSecond is { } messages)
        {
            list.Add(Setting.Of(ProduceMessagesPerSecond, messages));
        }

        if (change.ProduceBytesPerSecond is { } size)
        {
            list.Add(Setting.Of(ProduceBytesPerSecond, size));
        }

        if (change.LiteExpiry is { } expiry)
        {
            list.Add(Setting.Of(LiteExpiry, (long)expiry.TotalMicroseconds));
        }

        if (change.LiteTopicsMax is { } lites)
        {
            list.Add(Setting.Of(LiteTopicsMax, lites));
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
        FirstCheck => settings with { Checks = settings.Checks with { FirstMicroseconds = setting.ToInt64() } },
        CheckInterval => settings with { Checks = settings.Checks with { IntervalMicroseconds = setting.ToInt64() } },
        CheckCountMax => settings with { Checks = settings.Checks with { CountMax = (int)setting.ToInt64() } },
        WebhookUrl => settings with { Webhook = settings.Webhook with { Url = TextOf(setting) } },
        WebhookSecret => settings with { Webhook = settings.Webhook with { Secret = TextOf(setting) } },
        ProduceMessagesPerSecond => settings with
        {
            ProduceQuota = settings.ProduceQuota with { MessagesPerSecond = setting.ToInt64() },
        },
        ProduceBytesPerSecond => settings with
        {
            ProduceQuota = settings.ProduceQuota with { BytesPerSecond = setting.ToInt64() },
        },
        RouteCodec.All or RouteCodec.Added or RouteCodec.Removed => settings with
        {
            Routes = RouteCodec.Apply(settings.Routes, setting),
        },
        LiteExpiry => settings with { Lite = settings.Lite with { ExpiryMicroseconds = setting.ToInt64() } },
        LiteTopicsMax => settings with { Lite = settings.Lite with { CountMax = (int)setting.ToInt64() } },
        _ => throw setting.Unknown("topic"),
    };

    private static string TextOf(Setting setting) => Encoding.UTF8.GetString(setting.Content.Span);

    private static void AddUnlessEmpty(List<Setting> list, int tag, string text)
    {
        if (text.Length > 0)
        {
            list.Add(new Setting(tag, Encoding.UTF8.GetBytes(text)));
        }
    }

    private static void AddUnlessDefault(List<Setting> list, int tag, long value) => AddUnless(list, tag, value, 0);

    private static void AddUnless(List<Setting> list, int tag, long value, long standard)
    {
        if (value != standard)
        {
            list.Add(Setting.Of(tag, value));
        }
    }
}
