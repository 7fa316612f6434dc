namespace Dledger.Client.Streaming;

/// <summary>Where things are in a record, as <c>proto/dledger/stream/v1/stream.proto</c> draws it.</summary>
internal static class RecordLayout
{
    public const int HeaderBytes = 64;
    public const int CrcAt = 4;
    public const int StoreTimeAt = 8;
    public const int CrcStart = 16;
    public const int KindAt = 16;
    public const int FlagsAt = 17;
    public const int KeyLengthAt = 18;
    public const int MapLengthAt = 20;
    public const int EpochAt = 22;
    public const int TopicIdAt = 24;
    public const int QueueIdAt = 28;
    public const int BodyLengthAt = 32;
    public const int SequenceAt = 36;
    public const int ProducerIdAt = 40;
    public const int TagHashAt = 48;
    public const int BornTimeAt = 56;

    public const byte MessageKind = 1;
    public const byte DeliverAtFlag = 1;
    public const byte GroupHashFlag = 2;
    public const byte TransactionFlag = 4;
    public const byte IdHashFlag = 8;
    public const int WordBytes = 8;
    public const int IdHashBytes = 16;
    public const int TextBytesMax = ushort.MaxValue;

    /// <summary>Kinds of entries in the property map.</summary>
    public const byte TypeKind = 1;
    public const byte EncodingKind = 2;
    public const byte TagKind = 3;
    public const byte KeyKind = 4;
    public const byte UserKind = 5;
    public const byte BornHostKind = 6;
    public const byte MessageGroupKind = 7;
    public const byte TraceKind = 8;
    public const byte PriorityKind = 32;
    public const byte LiteTopicKind = 33;
    public const int EntryHeaderBytes = 3;
}
