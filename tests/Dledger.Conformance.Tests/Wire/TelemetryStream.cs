using Apache.Rocketmq.V2;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Conformance.Tests.Wire;

/// <summary>The telemetry stream of one client, with the settings that libraries send.</summary>
internal sealed class TelemetryStream : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TestClient _client;

    public TelemetryStream(TestClient client, TimeSpan? timeout = null)
    {
        _client = client;
        Call = client.Messaging.Telemetry(client.Options(timeout ?? TimeSpan.FromMinutes(20)));
    }

    public AsyncDuplexStreamingCall<TelemetryCommand, TelemetryCommand> Call { get; }

    public void Dispose() => Call.Dispose();

    public Task SendAsync(Settings settings) => Call.RequestStream.WriteAsync(new TelemetryCommand { Settings = settings });

    public async Task<TelemetryCommand> NextAsync()
    {
        Assert.True(await Call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience), "the stream has ended");
        return Call.ResponseStream.Current;
    }

    /// <summary>The next command that the probe takes; repeated settings on the way are left out.</summary>
    public async Task<TelemetryCommand> NextAsync(Func<TelemetryCommand, bool> probe)
    {
        while (true)
        {
            var command = await NextAsync();
            if (probe(command))
            {
                return command;
            }
        }
    }

    public Settings Producer(params string[] topics)
    {
        var settings = new Settings
        {
            ClientType = ClientType.Producer,
            AccessPoint = _client.AccessPoint(),
            RequestTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)),
            UserAgent = new UA { Language = Language.Java, Version = "5" },
            Publishing = new Publishing(),
        };
        settings.Publishing.Topics.AddRange(topics.Select(TestClient.Resource));
        return settings;
    }

    public Settings PushConsumer(string group, string topic, Language language = Language.Java) => new()
    {
        ClientType = ClientType.PushConsumer,
        AccessPoint = _client.AccessPoint(),
        UserAgent = new UA { Language = language, Version = "5" },
        Subscription = new Subscription
        {
            Group = TestClient.Resource(group),
            Subscriptions =
            {
                new SubscriptionEntry
                {
                    Topic = TestClient.Resource(topic),
                    Expression = new FilterExpression { Type = FilterType.Tag, Expression = "*" },
                },
            },
        },
    };
}
