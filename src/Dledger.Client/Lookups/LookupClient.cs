using System.IO.Compression;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Client.Lookups;

/// <summary>Finds stored messages, explains what became of them, and handles dead letters. Safe for any thread.</summary>
/// <remarks>Every call may be repeated, and throws a <see cref="DledgerException"/> of a kind that says what became of it.</remarks>
public sealed class LookupClient(DledgerChannel channel)
{
    /// <summary>Messages with an id; almost always one.</summary>
    public Task<FoundMessages> FindByIdAsync(string topic, string messageId, CancellationToken cancellationToken = default) =>
        FindAsync(
            $"Looking for message '{messageId}'",
            new FindMessagesRequest { Topic = topic, MessageId = messageId, WithBody = true },
            cancellationToken);

    /// <summary>The newest messages with a business key.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">The key.</param>
    /// <param name="from">Stored at or after; null: from the beginning.</param>
    /// <param name="to">Stored before; null: to the end.</param>
    /// <param name="countMax">1 to 1000.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<FoundMessages> FindByKeyAsync(
        string topic,
        string key,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null,
        int countMax = 32,
        CancellationToken cancellationToken = default) => FindAsync(
            $"Looking for key '{key}'",
            new FindMessagesRequest
            {
                Topic = topic,
                Key = key,
                FromTime = from is { } begin ? Timestamp.FromDateTimeOffset(begin) : null,
                ToTime = to is { } end ? Timestamp.FromDateTimeOffset(end) : null,
                MaxCount = countMax,
                WithBody = true,
            },
            cancellationToken);

    /// <summary>Messages of a queue from an offset on, without a group.</summary>
    public Task<FoundMessages> ReadAsync(
        string topic, int queueId, long offset, int countMax, CancellationToken cancellationToken = default) => FindAsync(
            $"Reading topic '{topic}'",
            new FindMessagesRequest
            {
                Topic = topic,
                QueueId = queueId,
                QueueOffset = offset,
                MaxCount = countMax,
                WithBody = true,
            },
            cancellationToken);

    /// <summary>The offset of a queue's first message stored at or after a time; the queue's end when there is none.</summary>
    public async Task<long> FindOffsetAsync(
        string topic, int queueId, DateTimeOffset time, CancellationToken cancellationToken = default)
    {
        var request = new FindOffsetRequest { Topic = topic, QueueId = queueId, Time = Timestamp.FromDateTimeOffset(time) };
        var response = await AskAsync(
            $"Looking for a time in topic '{topic}'",
            (node, options) => node.Messages.FindOffsetAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return response.QueueOffset;
    }

    /// <summary>Why a message was delivered, or not: by id, or by place when the id is empty.</summary>
    public async Task<Explanation> ExplainAsync(
        string topic,
        string messageId,
        int queueId = 0,
        long offset = 0,
        string group = "",
        long historyFrom = 0,
        CancellationToken cancellationToken = default)
    {
        var request = new ExplainMessageRequest
        {
            Topic = topic,
            MessageId = messageId,
            QueueId = queueId,
            QueueOffset = offset,
            Group = group,
            HistoryFrom = historyFrom,
        };
        var response = await AskAsync(
            "Explaining a message",
            (node, options) => node.Messages.ExplainMessageAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return new Explanation(
            Describe(response.Message),
            NameOf(response.State),
            response.Sentence,
            response.HasOthers,
            [
                .. response.Groups.Select(each => new GroupExplanation(
                    each.Group, NameOf(each.State), each.Attempts, TimeOf(each.Until), each.Client, each.MessagesAhead, each.Sentence)),
            ],
            [
                .. response.History.Select(each => new ExplainedEvent(
                    NameOf(each.Kind), TimeOf(each.Time), each.LogPosition, each.Group, each.Attempt, each.Client, TimeOf(each.Until),
                    each.Sentence)),
            ],
            response.HistoryEnd,
            response.HistoryComplete);
    }

    /// <summary>Dead letters per group and origin topic; of all groups when none is named.</summary>
    public async Task<IReadOnlyList<DeadLetterCount>> ListDeadLettersAsync(
        string group = "", CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            "Listing the dead letters",
            (node, options) => node.DeadLetters.ListDeadLettersAsync(new ListDeadLettersRequest { Group = group }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return
        [
            .. response.Letters.Select(each => new DeadLetterCount(
                each.Group, each.OriginTopic, each.Count, each.ResentCount, TimeOf(each.Oldest), TimeOf(each.Newest))),
        ];
    }

    /// <summary>All dead letters of a group, page by page.</summary>
    public async IAsyncEnumerable<FoundDeadLetter> ReadDeadLettersAsync(
        string group,
        bool withBody = true,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new ReadDeadLettersRequest { Group = group, WithBody = withBody };
        while (request.QueueId >= 0)
        {
            var page = await AskAsync(
                $"Reading the dead letters of group '{group}'",
                (node, options) => node.DeadLetters.ReadDeadLettersAsync(request, options),
                answer => answer.Status,
                cancellationToken).ConfigureAwait(false);
            foreach (var letter in page.Letters)
            {
                yield return new FoundDeadLetter(Describe(letter.Message), letter.Resent);
            }

            (request.QueueId, request.QueueOffset) = (page.NextQueueId, page.NextQueueOffset);
        }
    }

    /// <summary>Sends up to 100 letters again, each once.</summary>
    /// <param name="group">The group that failed.</param>
    /// <param name="letters">Their places in its dead letter topic.</param>
    /// <param name="toGroup">The messages themselves wait again for that group only; else copies go to the origin topic, for all groups.</param>
    /// <param name="isDryRun">Only says what would become of each.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<IReadOnlyList<ResendResult>> ResendDeadLettersAsync(
        string group,
        IReadOnlyList<(int QueueId, long Offset)> letters,
        bool toGroup = false,
        bool isDryRun = false,
        CancellationToken cancellationToken = default)
    {
        var request = new ResendDeadLettersRequest { Group = group, ToGroup = toGroup, DryRun = isDryRun };
        request.Letters.AddRange(letters.Select(letter => new DeadLetterPlace { QueueId = letter.QueueId, QueueOffset = letter.Offset }));
        var response = await AskAsync(
            $"Sending dead letters of group '{group}' again",
            (node, options) => node.DeadLetters.ResendDeadLettersAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return
        [
            .. response.Outcomes.Zip(letters, (outcome, letter) => new ResendResult(
                letter.QueueId,
                letter.Offset,
                outcome.Code == AdminCode.AdminOk,
                outcome.Code == AdminCode.AdminAlreadyExists,
                outcome.Message)),
        ];
    }

    /// <summary>Forgets all dead letters of a group; how many there are.</summary>
    public async Task<long> PurgeDeadLettersAsync(string group, bool isDryRun, CancellationToken cancellationToken = default)
    {
        var request = new PurgeDeadLettersRequest { Group = group, DryRun = isDryRun };
        var response = await AskAsync(
            $"Purging the dead letters of group '{group}'",
            (node, options) => node.DeadLetters.PurgeDeadLettersAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return response.Count;
    }

    private async Task<FoundMessages> FindAsync(
        string operation, FindMessagesRequest request, CancellationToken cancellationToken)
    {
        var response = await AskAsync(
            operation,
            (node, options) => node.Messages.FindMessagesAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return new FoundMessages(
            [.. response.Messages.Select(Describe)],
            response.HasMore,
            [.. response.NotSearched.Select(range => (range.Start, range.End))]);
    }

    private Task<T> AskAsync<T>(
        string operation,
        Func<NodeConnection, CallOptions, AsyncUnaryCall<T>> call,
        Func<T, AdminStatus?> statusOf,
        CancellationToken cancellationToken) => channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var answer = await call(node, options).ConfigureAwait(false);
                return ResponseStatus.Judge(statusOf(answer), operation) is { } failure ? throw failure : answer;
            },
            cancellationToken);

    private static FoundMessage Describe(StoredMessage message) => new()
    {
        Topic = message.Topic,
        MessageId = message.MessageId,
        QueueId = message.QueueId,
        Offset = message.QueueOffset,
        LogPosition = message.LogPosition,
        StoreTime = message.StoreTime.ToDateTimeOffset(),
        BornTime = message.BornTime.ToDateTimeOffset(),
        BornHost = message.BornHost,
        Tag = message.Tag.Length == 0 ? null : message.Tag,
        Keys = [.. message.Keys],
        Properties = new Dictionary<string, string>(message.UserProperties),
        MessageGroup = message.MessageGroup.Length == 0 ? null : message.MessageGroup,
        Body = message.BodyIsGzip ? Unpack(message) : message.Body.Memory,
        BodyBytes = message.BodyBytes,
        Origin = message.Origin is { } origin
            ? new FoundOrigin(
                origin.Topic, origin.MessageId, origin.QueueId, origin.QueueOffset, origin.Attempts, NameOf(origin.Reason))
            {
                StoreTime = TimeOf(origin.StoreTime),
                ClientId = origin.ClientId.Length == 0 ? null : origin.ClientId,
            }
            : null,
    };

    // An operator who looks at a message wants to see it even when its producer packed it wrongly.
    private static ReadOnlyMemory<byte> Unpack(StoredMessage message)
    {
        try
        {
            using var packed = new GZipStream(new MemoryStream(message.Body.ToByteArray()), CompressionMode.Decompress);
            var unpacked = new MemoryStream();
            packed.CopyTo(unpacked);
            return unpacked.ToArray();
        }
        catch (InvalidDataException)
        {
            return message.Body.Memory;
        }
    }

    private static DateTimeOffset? TimeOf(Timestamp? time) => time?.ToDateTimeOffset();

    private static string NameOf<T>(T value)
        where T : struct, System.Enum
    {
        var name = value.ToString();
        name = name.StartsWith("Event", StringComparison.Ordinal) ? name["Event".Length..] : name;
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}
