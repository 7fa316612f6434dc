using System.Text;
using Dledger.Broker.Receipts;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>A message on its way out, mostly leased to one receiver. A verified record, and what the delivery adds to it.</summary>
/// <remarks>
/// Texts are decoded when they are asked for: who passes a message on as bytes needs none of them (<see cref="MessageIdUtf8"/>,
/// <see cref="Properties"/>, <see cref="WriteReceiptHandle"/>). Not for use by two threads at once.
/// </remarks>
public sealed class DeliveredMessage
{
    private readonly DeliveryContext _context;
    private readonly ReceiptCodec? _receipts;
    private ReadOnlyMemory<byte> _record;
    private MessageContent? _content;
    private string? _receiptHandle;

    /// <param name="record">Verified.</param>
    /// <param name="context">What the delivery adds.</param>
    /// <param name="receipts">Writes the receipt handle; null when there is no receipt.</param>
    internal DeliveredMessage(ReadOnlyMemory<byte> record, in DeliveryContext context, ReceiptCodec? receipts = null)
    {
        _record = record;
        _context = context;
        _receipts = receipts;
    }

    public string Topic => _context.Topic;

    public int QueueId => _context.QueueId;

    public QueueOffset QueueOffset => _context.QueueOffset;

    /// <summary>Where its record lies in the log.</summary>
    public LogPosition Position => _context.Position;

    /// <summary>All of it, as the log holds it.</summary>
    public ReadOnlyMemory<byte> Record => _record;

    /// <summary>Names the delivery that it belongs to; 0 without a lease.</summary>
    public long DeliveryId => _context.Receipt?.Delivery.DeliveryId ?? 0;

    public string MessageId => Encoding.UTF8.GetString(MessageIdUtf8);

    /// <summary>The id in UTF-8, as stored.</summary>
    public ReadOnlySpan<byte> MessageIdUtf8 => View.Key;

    /// <summary>All that the producer set beside id and body, and what the broker noted with it, as stored.</summary>
    public PropertyEnumerator Properties => new(View.Properties);

    public MessageType Type => Content.Type;

    /// <summary>Null when the producer set none.</summary>
    public string? Tag => Content.Tag;

    public IReadOnlyList<string> Keys => Content.Keys;

    public IReadOnlyList<KeyValuePair<string, string>> UserProperties => Content.UserProperties;

    /// <summary>The stored bytes, not decompressed.</summary>
    public ReadOnlyMemory<byte> Body
    {
        get
        {
            var view = View;
            return _record.Slice(view.BodyStart, view.Body.Length);
        }
    }

    public BodyEncoding BodyEncoding => Content.BodyEncoding;

    /// <summary>Microseconds since 1970 (UTC), the producer's clock.</summary>
    public long BornTimeMicroseconds => View.BornTime;

    public string BornHost => Content.BornHost;

    /// <summary>Microseconds since 1970 (UTC), the log's time when the record was cut into a frame.</summary>
    public long StoreTimeMicroseconds => View.StoreTime;

    public string? MessageGroup => Content.MessageGroup;

    /// <summary>The lite topic inside of <see cref="Topic"/>; in a dead letter, that of its origin.</summary>
    public string? LiteTopic => Content.LiteTopic;

    /// <summary>As the producer set it, also above the topic's highest band.</summary>
    public int? Priority => Content.Priority;

    /// <summary>When a delayed message was to be delivered; microseconds since 1970 (UTC).</summary>
    public long? DeliverAtMicroseconds => View.DeliverAt;

    public string? TraceContext => Content.TraceContext;

    /// <summary>1 for the first delivery.</summary>
    public int Attempt => _context.Attempt;

    /// <summary>Opaque text, valid until the message becomes visible again; empty without a lease.</summary>
    public string ReceiptHandle =>
        _receiptHandle ??= _context.Receipt is { } receipt ? _receipts!.Encode(receipt) : "";

    /// <summary>Characters of <see cref="ReceiptHandle"/>.</summary>
    public int ReceiptHandleLength => _context.Receipt is null ? 0 : ReceiptCodec.TextLength;

    /// <summary>How long the message stays invisible from the delivery on.</summary>
    public TimeSpan InvisibleDuration => _context.InvisibleDuration;

    /// <summary>Set on messages of a dead letter topic.</summary>
    public DeadLetterOrigin? DeadLetterOrigin => Content.DeadLetterOrigin;

    private MessageContent Content => _content ??= MessageDecoder.Decode(View);

    private RecordView View
    {
        get
        {
            Invariant.Check(
                RecordView.TryParseUnchecked(_record.Span, out var view, out var fault),
                $"a delivered message is used after its record was given back: {fault}");
            return view;
        }
    }

    /// <summary>Writes the receipt handle as ASCII, into exactly <see cref="ReceiptHandleLength"/> bytes.</summary>
    public void WriteReceiptHandle(Span<byte> destination)
    {
        if (_context.Receipt is { } receipt)
        {
            _receipts!.Encode(receipt, destination);
        }
    }

    /// <summary>The record's memory is about to be used for something else: what was not decoded is gone, the receipt handle is not.</summary>
    internal void Forget() => _record = default;
}
