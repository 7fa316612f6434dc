using Dledger.Frontend.Calls;
using Dledger.Protocol.Node.V1;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>The clients whose telemetry streams this node has, with what they say of themselves, and what they are asked. Safe for any
/// thread.</summary>
/// <remarks>Bounded by the open streams, and by <see cref="QuestionsMax"/>.</remarks>
internal sealed class ConnectedClients(TimeProvider time)
{
    /// <summary>How long a client may take to answer.</summary>
    public static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(3);

    /// <summary>Questions that wait for an answer at the same time.</summary>
    private const int QuestionsMax = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<IClientStream, Wire.Settings> _settings = [];
    private readonly Dictionary<string, Question> _questions = new(StringComparer.Ordinal);

    /// <summary>A client told its settings, for the first time or again.</summary>
    public void Settings(IClientStream stream, Wire.Settings settings)
    {
        lock (_lock)
        {
            _settings[stream] = settings;
        }
    }

    /// <summary>A stream has ended; whoever waits for it waits no more.</summary>
    public void Remove(IClientStream stream)
    {
        lock (_lock)
        {
            _settings.Remove(stream);
            foreach (var question in _questions.Values.Where(question => question.Stream == stream))
            {
                question.Answer.TrySetResult(null);
            }
        }
    }

    /// <summary>Who is connected, by client id; of one group or of all, one client or all.</summary>
    public IReadOnlyList<ConnectedClient> List(string group, string clientId)
    {
        lock (_lock)
        {
            return [.. _settings
                .Select(static entry => Describe(entry.Key, entry.Value))
                .Where(client => clientId.Length == 0 || client.ClientId == clientId)
                .Where(client => group.Length == 0 || GroupOf(client) == group)
                .OrderBy(static client => client.ClientId, StringComparer.Ordinal)];
        }
    }

    /// <summary>The broker's name of a client's group; empty for producers.</summary>
    public static string GroupOf(ConnectedClient client) => client.Settings.Subscription?.Group is { } group
        ? ResourceNames.Of(group, client.ResourceNamespace)
        : "";

    /// <summary>A frame of a client that may be an answer; others are not waited for.</summary>
    /// <remarks>The nonce is a secret between us and the client that was asked. One library answers a message to verify with the command
    /// itself instead of a result.</remarks>
    public void Answer(IClientStream stream, Wire.TelemetryCommand frame)
    {
        var nonce = frame.CommandCase switch
        {
            Wire.TelemetryCommand.CommandOneofCase.ThreadStackTrace => frame.ThreadStackTrace.Nonce,
            Wire.TelemetryCommand.CommandOneofCase.VerifyMessageResult => frame.VerifyMessageResult.Nonce,
            Wire.TelemetryCommand.CommandOneofCase.VerifyMessageCommand => frame.VerifyMessageCommand.Nonce,
            _ => "",
        };
        lock (_lock)
        {
            if (_questions.TryGetValue(nonce, out var question) && question.Stream == stream)
            {
                question.Answer.TrySetResult(frame);
            }
        }
    }

    /// <summary>Asks a client that is connected here and waits for its answer.</summary>
    public async Task<AskClientResponse> AskAsync(AskClientRequest request, CancellationToken cancellationToken)
    {
        var nonce = Guid.NewGuid().ToString("N");
        var command = request.Command.Clone();
        switch (command.CommandCase)
        {
            case Wire.TelemetryCommand.CommandOneofCase.PrintThreadStackTraceCommand:
                command.PrintThreadStackTraceCommand.Nonce = nonce;
                break;
            case Wire.TelemetryCommand.CommandOneofCase.VerifyMessageCommand:
                command.VerifyMessageCommand.Nonce = nonce;
                break;
        }

        var (question, refusal) = Begin(request, command, nonce);
        if (question is null)
        {
            return new AskClientResponse { State = refusal };
        }

        try
        {
            var answer = await question.Answer.Task.WaitAsync(AnswerTimeMax, time, cancellationToken);
            return answer is null
                ? new AskClientResponse { State = ClientAnswerState.NoAnswer }
                : new AskClientResponse { State = ClientAnswerState.Answered, Answer = answer };
        }
        catch (TimeoutException)
        {
            return new AskClientResponse { State = ClientAnswerState.NoAnswer };
        }
        finally
        {
            lock (_lock)
            {
                _questions.Remove(nonce);
            }
        }
    }

    private static ConnectedClient Describe(IClientStream stream, Wire.Settings settings) => new()
    {
        ClientId = stream.ClientId,
        ResourceNamespace = stream.Namespace,
        Address = stream.Address,
        Settings = settings,
    };

    private (Question? Question, ClientAnswerState Refusal) Begin(
        AskClientRequest request, Wire.TelemetryCommand command, string nonce)
    {
        lock (_lock)
        {
            var streams = _settings.Where(entry => entry.Key.ClientId == request.ClientId).ToArray();
            if (streams.Length == 0)
            {
                return (null, ClientAnswerState.NotConnected);
            }

            var stream = streams
                .Where(entry => request.Group.Length == 0 || GroupOf(Describe(entry.Key, entry.Value)) == request.Group)
                .Select(static entry => entry.Key)
                .FirstOrDefault();
            if (stream is null)
            {
                return (null, ClientAnswerState.OtherGroup);
            }

            if (_questions.Count >= QuestionsMax || !stream.TrySend(command))
            {
                return (null, ClientAnswerState.TooMany);
            }

            var question = new Question(stream);
            _questions.Add(nonce, question);
            return (question, default);
        }
    }

    /// <summary>One command under way. No answer but null: the stream has ended.</summary>
    private sealed class Question(IClientStream stream)
    {
        public IClientStream Stream => stream;

        public TaskCompletionSource<Wire.TelemetryCommand?> Answer { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
