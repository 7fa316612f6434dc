using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dledger.Broker;
using Dledger.Broker.Transactions;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>Asks the webhook of a topic, and passes its answer on. Whatever goes wrong is "unknown": it is asked again.</summary>
internal sealed class Webhook : IDisposable
{
    /// <summary>Carries "sha256=" and the HMAC-SHA-256 of the body under the topic's secret, in lower-case hex.</summary>
    public const string SignatureHeader = "X-Dledger-Signature";

    /// <summary>Larger bodies are left out of the question.</summary>
    public const int BodyBytesMax = 64 * 1024;

    private const int CallsMax = 16;
    private const int AnswerBytesMax = 4 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly BrokerNode _broker;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _calls = new(CallsMax);
    private readonly HttpClient _http;

    public Webhook(BrokerNode broker, ILogger logger)
    {
        _broker = broker;
        _logger = logger;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = Timeout,
            ConnectCallback = ConnectAsync,
            ActivityHeadersPropagator = null,
        })
        {
            Timeout = Timeout,
            MaxResponseContentBufferSize = AnswerBytesMax,
        };
    }

    /// <summary>Never blocks; what finds too many calls under way is asked again later.</summary>
    public void Ask(TransactionQuestion question, UndecidedMessage undecided, CancellationToken cancellationToken)
    {
        if (_calls.Wait(0, CancellationToken.None))
        {
            _ = AskAsync(question, undecided, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>What is sent, as JSON.</summary>
    internal static byte[] Describe(TransactionQuestion question, UndecidedMessage undecided)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            var message = undecided.Message;
            writer.WriteStartObject();
            writer.WriteString("topic", question.Topic);
            writer.WriteString("messageId", message.MessageId);
            writer.WriteString("transactionId", undecided.TransactionId);
            writer.WriteNumber("check", question.Check);
            writer.WriteString("bornAt", DateTime.UnixEpoch.AddMicroseconds(message.BornTimeMicroseconds));
            writer.WriteString("storedAt", DateTime.UnixEpoch.AddMicroseconds(message.StoreTimeMicroseconds));
            if (message.Tag is not null)
            {
                writer.WriteString("tag", message.Tag);
            }

            writer.WriteStartArray("keys");
            foreach (var key in message.Keys)
            {
                writer.WriteStringValue(key);
            }

            writer.WriteEndArray();
            writer.WriteStartObject("properties");
            foreach (var (key, value) in message.UserProperties)
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
            writer.WriteString("bodyEncoding", message.BodyEncoding.ToString());
            writer.WriteNumber("bodySize", message.Body.Length);
            if (message.Body.Length <= BodyBytesMax)
            {
                writer.WriteBase64String("body", message.Body.Span);
            }

            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    internal static string Sign(string secret, ReadOnlySpan<byte> body) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body));

    /// <summary>Unknown unless the answer says COMMIT or ROLLBACK.</summary>
    internal static TransactionResolution ReadAnswer(ReadOnlyMemory<byte> answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("resolution", out var resolution)
                && resolution.ValueKind == JsonValueKind.String
                    ? resolution.GetString() switch
                    {
                        "COMMIT" => TransactionResolution.Commit,
                        "ROLLBACK" => TransactionResolution.Rollback,
                        _ => TransactionResolution.Unknown,
                    }
                    : TransactionResolution.Unknown;
        }
        catch (JsonException)
        {
            return TransactionResolution.Unknown;
        }
    }

    private static async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        // Checked here, where the name has become an address: a name may change its mind after the topic was altered.
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellationToken);
        if (addresses.FirstOrDefault(address => TransactionRules.CheckAddress(address) is null) is not { } allowed)
        {
            throw new HttpRequestException($"no address of {context.DnsEndPoint.Host} may be asked");
        }

        var socket = new Socket(allowed.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(allowed, context.DnsEndPoint.Port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AskAsync(TransactionQuestion question, UndecidedMessage undecided, CancellationToken cancellationToken)
    {
        try
        {
            var body = Describe(question, undecided);
            using var request = new HttpRequestMessage(HttpMethod.Post, undecided.Webhook.Url)
            {
                Content = new ByteArrayContent(body),
            };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.Add(SignatureHeader, Sign(undecided.Webhook.Secret, body));
            using var response = await _http.SendAsync(request, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                FrontendEvents.WebhookFailed(_logger, question.Topic, $"HTTP status {(int)response.StatusCode}");
                return;
            }

            var resolution = ReadAnswer(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            if (await _broker.EndTransactionsAsync(
                [undecided.TransactionId], resolution, TransactionDecider.Webhook, cancellationToken) is { } failure)
            {
                FrontendEvents.WebhookFailed(_logger, question.Topic, failure.Detail);
            }
        }
        catch (Exception exception) when (exception
            is HttpRequestException or OperationCanceledException or IOException or SocketException or InvalidOperationException)
        {
            FrontendEvents.WebhookFailed(_logger, question.Topic, exception.Message);
        }
        finally
        {
            _calls.Release();
        }
    }
}
