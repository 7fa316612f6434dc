using Apache.Rocketmq.V2;
using Dledger.Frontend.Messaging.Clients;
using Dledger.Protocol.Node.V1;

namespace Dledger.Frontend.Tests.Messaging;

public sealed class ConnectedClientsTests
{
    private readonly ConnectedClients _clients = new(TimeProvider.System);

    [Fact]
    public async Task An_answer_is_taken_from_the_stream_that_was_asked_only()
    {
        var asked = Connect("c", "g");
        var other = Connect("other", "g");

        var asking = _clients.AskAsync(Question("c", "g"), CancellationToken.None);
        var nonce = Assert.Single(asked.Sent).PrintThreadStackTraceCommand.Nonce;
        _clients.Answer(other, Trace(nonce, "forged"));
        _clients.Answer(asked, Trace("", "stray"));
        var isStillAsking = !asking.IsCompleted;
        _clients.Answer(asked, Trace(nonce, "true"));
        var answer = await asking;

        Assert.True(isStillAsking);
        Assert.Equal(ClientAnswerState.Answered, answer.State);
        Assert.Equal("true", answer.Answer.ThreadStackTrace.ThreadStackTrace_);
        Assert.Empty(other.Sent);
    }

    [Fact]
    public async Task Of_several_streams_one_is_asked()
    {
        StubStream[] streams = [Connect("c", "g"), Connect("c", "g")];

        var asking = _clients.AskAsync(Question("c", ""), CancellationToken.None);
        var asked = Assert.Single(streams, stream => stream.Sent.Count > 0);
        _clients.Remove(asked);
        var answer = await asking;

        Assert.Equal(ClientAnswerState.NoAnswer, answer.State);
        Assert.Single(_clients.List("", ""));
    }

    [Fact]
    public async Task A_client_that_takes_no_more_commands_is_not_asked()
    {
        Connect("c", "g").IsFull = true;

        var answer = await _clients.AskAsync(Question("c", "g"), CancellationToken.None);

        Assert.Equal(ClientAnswerState.TooMany, answer.State);
    }

    [Fact]
    public async Task Questions_that_wait_are_bounded()
    {
        var stream = Connect("c", "g");
        using var end = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 256).Select(_ => _clients.AskAsync(Question("c", "g"), end.Token)).ToArray();

        var one = await _clients.AskAsync(Question("c", "g"), CancellationToken.None);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
        var next = _clients.AskAsync(Question("c", "g"), CancellationToken.None);
        _clients.Remove(stream);

        Assert.Equal(ClientAnswerState.TooMany, one.State);
        Assert.Equal(ClientAnswerState.NoAnswer, (await next).State);
        Assert.Equal(257, stream.Sent.Count);
    }

    [Fact]
    public async Task The_group_of_a_client_is_that_of_its_namespace()
    {
        Connect("c", "g", resourceNamespace: "a");

        var plain = await _clients.AskAsync(Question("c", "g"), CancellationToken.None);

        Assert.Equal(ClientAnswerState.OtherGroup, plain.State);
        Assert.Equal("c", Assert.Single(_clients.List("a%g", "")).ClientId);
    }

    private static AskClientRequest Question(string clientId, string group) => new()
    {
        ClientId = clientId,
        Group = group,
        Command = new TelemetryCommand { PrintThreadStackTraceCommand = new PrintThreadStackTraceCommand() },
    };

    private static TelemetryCommand Trace(string nonce, string text) => new()
    {
        ThreadStackTrace = new ThreadStackTrace { Nonce = nonce, ThreadStackTrace_ = text },
    };

    private StubStream Connect(string clientId, string group, string resourceNamespace = "")
    {
        var stream = new StubStream(clientId, resourceNamespace);
        _clients.Settings(stream, new Settings
        {
            Subscription = new Subscription { Group = new Resource { Name = group } },
        });
        return stream;
    }

    private sealed class StubStream(string clientId, string resourceNamespace) : IClientStream
    {
        public string ClientId => clientId;

        public string Namespace => resourceNamespace;

        public string Address => "192.0.2.1";

        public bool IsFull { get; set; }

        public List<TelemetryCommand> Sent { get; } = [];

        public bool TrySend(TelemetryCommand command)
        {
            if (!IsFull)
            {
                Sent.Add(command);
            }

            return !IsFull;
        }
    }
}
