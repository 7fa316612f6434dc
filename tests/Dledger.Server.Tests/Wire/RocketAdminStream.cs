using Apache.Rocketmq.V2;
using Grpc.Core;

namespace Dledger.Server.Tests.Wire;

/// <summary>A consumer's telemetry stream that answers the server's commands as it is told to.</summary>
internal sealed class RocketAdminStream : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly AsyncDuplexStreamingCall<TelemetryCommand, TelemetryCommand> _call;
    private Task _reading = Task.CompletedTask;

    private RocketAdminStream(TestClient client) => _call = client.Messaging.Telemetry(client.Options(TimeSpan.FromMinutes(5)));

    public void Dispose() => _call.Dispose();

    /// <summary>Commands that came, settings left out.</summary>
    public List<TelemetryCommand> Commands { get; } = [];

    /// <summary>Connects a consumer; <paramref name="answer"/> makes frames out of a command.</summary>
    public static async Task<RocketAdminStream> OpenAsync(
        TestClient client, string group, string topic, Func<TelemetryCommand, IEnumerable<TelemetryCommand>> answer)
    {
        var stream = new RocketAdminStream(client);
        await stream._call.RequestStream.WriteAsync(new TelemetryCommand
        {
            Settings = new Settings
            {
                ClientType = ClientType.PushConsumer,
                UserAgent = new UA { Language = Language.Golang, Version = "5.1.2", Hostname = "host7", Platform = "linux" },
                ClientProperties = { ["zone"] = "z1" },
                Subscription = new Subscription
                {
                    Group = TestClient.Resource(group),
                    Subscriptions =
                    {
                        new SubscriptionEntry
                        {
                            Topic = TestClient.Resource(topic),
                            Expression = new FilterExpression { Type = FilterType.Tag, Expression = "a" },
                        },
                    },
                },
            },
        });
        Assert.True(await stream._call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        stream._reading = stream.AnswerAsync(answer);
        return stream;
    }

    private async Task AnswerAsync(Func<TelemetryCommand, IEnumerable<TelemetryCommand>> answer)
    {
        try
        {
            while (await _call.ResponseStream.MoveNext(CancellationToken.None))
            {
                var command = _call.ResponseStream.Current;
                if (command.CommandCase == TelemetryCommand.CommandOneofCase.Settings)
                {
                    continue;
                }

                Commands.Add(command);
                foreach (var frame in answer(command))
                {
                    await _call.RequestStream.WriteAsync(frame);
                }
            }
        }
        catch (RpcException)
        {
            // Closed by the test.
        }
    }
}
