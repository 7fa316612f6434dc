using Dledger.Broker;
using Dledger.Broker.Groups;
using Dledger.Broker.Naming;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging.Routing;
using Google.Protobuf.WellKnownTypes;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>Answers the settings of a client: what it sent, completed by what the server decides.</summary>
/// <remarks>
/// Clients start only when the answer suits them. Producers need an exponential back-off; consumers of Node.js
/// understand only that one, all others prefer the table of the group. The poll time is whole seconds, because one
/// client reads nothing else. The metric endpoints are filled although metrics are off: one client logs an error
/// otherwise.
/// </remarks>
internal sealed class SettingsAnswer(BrokerNode broker, FrontendOptions options)
{
    private const int SendAttempts = 3;

    private static readonly TimeSpan SendBackoffInitial = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan SendBackoffMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ConsumeBackoffInitial = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConsumeBackoffMax = TimeSpan.FromHours(2);
    private const float BackoffMultiplier = 2;

    /// <summary>Null when the settings may be answered, else what is wrong with them.</summary>
    public static Violation? Check(ClientCall call, Wire.Settings settings)
    {
        if (ClientRules.CheckProperties(settings.ClientProperties) is { } properties)
        {
            return properties;
        }

        switch (settings.PubSubCase)
        {
            case Wire.Settings.PubSubOneofCase.Publishing:
                return FirstBroken(settings.Publishing.Topics.Select(topic => ResourceNames.Of(topic, call)));
            case Wire.Settings.PubSubOneofCase.Subscription:
                var subscription = settings.Subscription;
                return Names.CheckGroup(ResourceNames.Of(subscription.Group, call))
                    ?? FirstBroken(subscription.Subscriptions.Select(entry => ResourceNames.Of(entry.Topic, call)));
            default:
                return new Violation(
                    BrokenRule.None,
                    "the settings have neither 'publishing' nor 'subscription', so the role is unknown");
        }
    }

    /// <summary>The frame for a client whose settings passed the check.</summary>
    public Wire.TelemetryCommand Create(ClientCall call, Wire.Settings sent)
    {
        var settings = sent.Clone();
        settings.Metric = new Wire.Metric { On = false };
        if (options.FindNode(options.Self) is { } self)
        {
            settings.Metric.Endpoints = RouteEndpoints.Of(self);
        }

        if (settings.PubSubCase == Wire.Settings.PubSubOneofCase.Publishing)
        {
            settings.Publishing.MaxBodySize = options.BodyBytesMax;
            settings.Publishing.ValidateMessageType = true;
            settings.BackoffPolicy = new Wire.RetryPolicy
            {
                MaxAttempts = SendAttempts,
                ExponentialBackoff = Exponential(SendBackoffInitial, SendBackoffMax, BackoffMultiplier),
            };
        }
        else
        {
            Complete(call, settings);
        }

        return new Wire.TelemetryCommand { Status = StatusMapping.Ok, Settings = settings };
    }

    private static Violation? FirstBroken(IEnumerable<string> topics) =>
        topics.Select(Names.CheckTopic).FirstOrDefault(violation => violation is not null);

    private void Complete(ClientCall call, Wire.Settings settings)
    {
        // As this node knows the group; never a wait. A new group has the defaults, which are those of its creation.
        var group = broker.FindGroup(ResourceNames.Of(settings.Subscription.Group, call));
        settings.Subscription.Fifo = group?.Fifo ?? false;
        settings.Subscription.ReceiveBatchSize = options.ReceiveBatchCount;
        settings.Subscription.LongPollingTimeout = new Duration { Seconds = (long)options.LongPollMax.TotalSeconds };
        if (settings.ClientType is Wire.ClientType.LitePushConsumer or Wire.ClientType.LiteSimpleConsumer)
        {
            settings.Subscription.LiteSubscriptionQuota = (group?.Settings ?? GroupSettings.Default).LiteSubscriptionQuota;
            settings.Subscription.MaxLiteTopicSize = Limits.LiteTopicBytesMax;
        }

        settings.BackoffPolicy = Backoff(
            group?.Backoff ?? BackoffPolicy.Default, settings.UserAgent?.Language == Wire.Language.NodeJs);
        settings.BackoffPolicy.MaxAttempts = (group?.Settings ?? GroupSettings.Default).MaxAttempts;
    }

    private static Wire.RetryPolicy Backoff(BackoffPolicy policy, bool isExponentialOnly)
    {
        if (policy.IsExponential)
        {
            return new Wire.RetryPolicy
            {
                ExponentialBackoff = Exponential(policy.Initial, policy.Max, (float)policy.Multiplier),
            };
        }

        if (isExponentialOnly)
        {
            return new Wire.RetryPolicy
            {
                ExponentialBackoff = Exponential(ConsumeBackoffInitial, ConsumeBackoffMax, BackoffMultiplier),
            };
        }

        var steps = new Wire.CustomizedBackoff();
        steps.Next.AddRange(policy.Steps.Select(Duration.FromTimeSpan));
        return new Wire.RetryPolicy { CustomizedBackoff = steps };
    }

    private static Wire.ExponentialBackoff Exponential(TimeSpan initial, TimeSpan max, float multiplier) => new()
    {
        Initial = Duration.FromTimeSpan(initial),
        Max = Duration.FromTimeSpan(max),
        Multiplier = multiplier,
    };
}
