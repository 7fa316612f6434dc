using System.Buffers;
using Apache.Rocketmq.V2;
using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Frontend.Messaging.Consuming;
using Dledger.Primitives;
using Dledger.Storage.Records;
using Google.Protobuf;

namespace Dledger.Allocation.Tests.Operations;

/// <summary>A message with tag, key, property and a body of 1 KiB: from draft to record, past filters, and out to a client.</summary>
public sealed class MessageOperations
{
    private readonly MessageDraft[] _drafts;
    private readonly TopicView _topic = new(5, "orders", 4, MessageTypeSet.Normal, 0);
    private readonly byte[] _record;
    private readonly byte[] _properties;
    private readonly byte[] _map;
    private readonly MessageFilter _tags;
    private readonly MessageFilter _sql;
    private readonly ReceiptCodec _codec = new(Guid.AllBitsSet);
    private readonly Receipt _receipt = new(1, 2, 3, new DeliveryReference(4, 5, 6), 1);
    private readonly byte[] _receiptText = new byte[ReceiptCodec.TextLength];
    private readonly string _handle;
    private readonly DeliveredMessage _delivered;
    private readonly Resource _resource = new() { Name = "orders" };
    private readonly DeliveryWriter _writer;
    private readonly ArrayBufferWriter<byte> _target = new(8192);

    public MessageOperations()
    {
        _drafts =
        [
            new MessageDraft
            {
                Body = new byte[1024],
                MessageId = "01ABCDEF0123456789ABCDEF0123456789",
                Tag = "red",
                Keys = ["order-4711"],
                UserProperties = [KeyValuePair.Create("price", "12"), KeyValuePair.Create("colour", "blau")],
                BornHost = "born.example",
            },
        ];
        _map = new byte[PropertyWriter.Measure(_drafts[0])];
        Invariant.Check(TryEncode(out var records), "the message can be encoded");
        _record = records.Memory.ToArray();
        records.Return();
        RecordView.Seal(_record, new LogPosition(64), 1_700_000_000_000_000);
        RecordView.TryParseUnchecked(_record, out var view, out _);
        _properties = view.Properties.ToArray();
        MessageFilter.TryParseTags("green || red", out _tags, out _);
        MessageFilter.TryParseSql("price BETWEEN 10 AND 20 AND colour IN ('rot', 'blau') AND TAGS = 'red'", out _sql, out _);
        _handle = _codec.Encode(_receipt);
        _delivered = Deliver();
        _writer = new DeliveryWriter(_resource.ToByteArray(), "", "host:8081");
    }

    /// <summary>From draft to record. The array is rented, and returned here.</summary>
    public int Encode()
    {
        TryEncode(out var records);
        records.Return();
        return records.Length;
    }

    public int WriteProperties()
    {
        Invariant.Check(PropertyWriter.Measure(_drafts[0]) == _map.Length, "the map has the measured length");
        PropertyWriter.Write(_map, _drafts[0]);
        return _map.Length;
    }

    public int EnumerateProperties()
    {
        var bytes = 0;
        var entries = new PropertyEnumerator(_properties);
        while (entries.MoveNext())
        {
            bytes += entries.Content.Length;
            if (entries.Kind == PropertyKind.UserProperty)
            {
                PropertyEnumerator.SplitUserProperty(entries.Content, out var key, out _);
                bytes += key.Length;
            }
        }

        return bytes;
    }

    public bool MayMatchTag() => _tags.MayMatch(TagHash.Of("red"));

    public bool MatchTag()
    {
        RecordView.TryParseUnchecked(_record, out var view, out _);
        return _tags.Matches(view);
    }

    public bool MatchSql()
    {
        RecordView.TryParseUnchecked(_record, out var view, out _);
        return _sql.Matches(view);
    }

    public void EncodeReceipt() => _codec.Encode(_receipt, _receiptText);

    public bool DecodeReceipt() => _codec.TryDecode(_handle, out _);

    public bool IsExpired() => TimeToLive.IsOver(_delivered.Properties, 0, 1);

    public long HashGroup() => MessageGroupHash.Of("customer-4711");

    /// <summary>The frame of a receive, from the record.</summary>
    public int WriteDelivery()
    {
        _target.ResetWrittenCount();
        _writer.TryMeasure(_delivered, out var length);
        _writer.Write(_target, length);
        return length;
    }

    /// <summary>The same through protobuf objects, which other answers still take.</summary>
    public int EncodeDelivery()
    {
        _target.ResetWrittenCount();
        var frame = new ReceiveMessageResponse { Message = DeliveryEncoder.Encode(Deliver(), _resource, "", "host:8081") };
        frame.WriteTo(_target);
        return _target.WrittenCount;
    }

    public DeliveredMessage Deliver() => new(
        _record,
        new DeliveryContext("orders", 2, new QueueOffset(7), new LogPosition(64), 1, _receipt, TimeSpan.FromSeconds(30)),
        _codec);

    private bool TryEncode(out RecordBuffer records) =>
        MessageEncoder.TryEncode(_drafts, _topic, 2, null, TopicDirectory.Empty, out records, out _);
}
