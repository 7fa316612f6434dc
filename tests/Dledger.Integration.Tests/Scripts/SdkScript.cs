using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Dledger.Integration.Tests.Processes;

namespace Dledger.Integration.Tests.Scripts;

/// <summary>A script around the official Node.js client: requests and answers are JSON lines, see js/lib/lines.mjs.</summary>
internal sealed class SdkScript : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _waiting = new();
    private readonly ConcurrentQueue<Delivery> _deliveries = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _writing = new(1);
    private int _lastId;

    private SdkScript(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What a push consumer was given so far, in order of arrival.</summary>
    public IReadOnlyCollection<Delivery> Deliveries => _deliveries;

    /// <summary>Starts a script and waits until its client has started.</summary>
    public static async Task<SdkScript> StartAsync(string script, params string[] arguments)
    {
        await NodePackages.EnsureAsync();
        var process = Process.Start(new ProcessStartInfo("node", [script, .. arguments])
        {
            WorkingDirectory = Repository.Scripts,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var running = new SdkScript(process);
        try
        {
            await running._started.Task.WaitAsync(Patience);
            return running;
        }
        catch (Exception exception)
        {
            var errors = running.Errors();
            await running.DisposeAsync();
            throw new InvalidOperationException($"{script} {string.Join(' ', arguments)} did not start: {errors}", exception);
        }
    }

    public static Task<SdkScript> StartProducerAsync(string address, string topic) =>
        StartAsync("producer.mjs", address, topic);

    public static Task<SdkScript> StartSimpleConsumerAsync(string address, string group, string topic, string tags = "*") =>
        StartAsync("simple-consumer.mjs", address, group, topic, tags);

    public static Task<SdkScript> StartPushConsumerAsync(
        string address, string group, string topic, string tags = "*", int failingAttempts = 0) =>
        StartAsync("push-consumer.mjs", address, group, topic, tags, failingAttempts.ToString());

    /// <summary>Sends one message.</summary>
    /// <exception cref="SdkException">The client threw.</exception>
    public async Task<Sent> SendAsync(object message) => (await AskAsync("send", message)).Deserialize<Sent>(Json.Options)!;

    /// <summary>Sends one message in a transaction and ends that as the message says, or leaves it open.</summary>
    public async Task<Sent> SendTransactionAsync(object message) =>
        (await AskAsync("sendTransaction", message)).Deserialize<Sent>(Json.Options)!;

    public async Task<IReadOnlyList<Delivery>> ReceiveAsync(int count = 16, int invisibleMilliseconds = 15_000) =>
        (await AskAsync("receive", new { count, invisibleMilliseconds })).Deserialize<Delivery[]>(Json.Options)!;

    public Task AckAsync(Delivery delivery) => AskAsync("ack", new { delivery.ReceiptHandle });

    /// <summary>Receives until so many messages were seen, acknowledging each.</summary>
    public async Task<IReadOnlyList<Delivery>> DrainAsync(int count)
    {
        var all = new List<Delivery>();
        await Eventually.TrueAsync($"{count} messages are received", Patience, async () =>
        {
            foreach (var delivery in await ReceiveAsync())
            {
                all.Add(delivery);
                await AckAsync(delivery);
            }

            return all.Count >= count;
        });
        return all;
    }

    /// <summary>Sends a request to the script and waits for its answer.</summary>
    /// <exception cref="SdkException">The operation threw.</exception>
    public async Task<JsonElement> AskAsync(string operation, object arguments)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = _waiting.GetOrAdd(
            id, _ => new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously));
        var request = JsonSerializer.SerializeToNode(arguments, Json.Options)!.AsObject();
        request["id"] = id;
        request["op"] = operation;
        await _writing.WaitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync(request.ToJsonString());
            await _process.StandardInput.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }

        return await answer.Task.WaitAsync(Patience);
    }

    /// <summary>Lets the client shut down for a moment, then ends the process.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try
            {
                await _process.WaitForExitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    private string Errors()
    {
        lock (_errors)
        {
            return _errors.ToString();
        }
    }

    private void Note(string? line)
    {
        lock (_errors)
        {
            _errors.AppendLine(line);
        }
    }

    private void Read(string? line)
    {
        if (line is null)
        {
            var ended = new InvalidOperationException($"The script has ended: {Errors()}");
            _started.TrySetException(ended);
            foreach (var waiting in _waiting.Values)
            {
                waiting.TrySetException(ended);
            }

            return;
        }

        var message = JsonDocument.Parse(line).RootElement;
        if (message.TryGetProperty("event", out var name))
        {
            if (name.GetString() == "started")
            {
                _started.TrySetResult();
            }
            else
            {
                _deliveries.Enqueue(message.Deserialize<Delivery>(Json.Options)!);
            }
        }
        else if (_waiting.TryRemove(message.GetProperty("id").GetInt32(), out var waiting))
        {
            if (message.GetProperty("ok").GetBoolean())
            {
                waiting.TrySetResult(message.GetProperty("result"));
            }
            else
            {
                waiting.TrySetException(new SdkException(message.GetProperty("error").GetRawText()));
            }
        }
    }
}
