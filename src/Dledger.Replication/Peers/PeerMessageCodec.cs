using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Peers;

/// <summary>Translates every message but the Hellos to and from bytes.</summary>
/// <remarks>
/// Header fields carry sender, session, term and stream; the bodies hold the rest in the order of the code below,
/// little-endian, closed by a CRC-32C of the body. Flags are one byte, 0 or 1. The Append body is drawn at
/// <see cref="AppendBodyCodec"/>.
/// </remarks>
internal static class PeerMessageCodec
{
    /// <summary>Room for any message without the bytes of its range.</summary>
    public const int EncodedBytesMax = PeerMessageHeader.Length + PeerMessageLimits.GenesisBytesMax;

    /// <summary>
    /// Writes a message, of an append all but the frames.
    /// </summary>
    /// <param name="message">What to write.</param>
    /// <param name="group">Goes into the header.</param>
    /// <param name="destination">At least <see cref="EncodedBytesMax"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(PeerMessage message, RaftGroupId group, Span<byte> destination)
    {
        var body = destination[PeerMessageHeader.Length..];
        int written;
        var rangeBytes = 0;
        if (message is AppendRequest append)
        {
            AppendBodyCodec.WriteFixedPart(append, body);
            written = AppendBodyCodec.FixedLength;
            rangeBytes = (int)(append.RangeEnd - append.Previous);
        }
        else
        {
            var writer = new BodyWriter(body);
            WriteBody(ref writer, message);
            writer.WriteChecksum();
            written = writer.Length;
        }

        var header = new PeerMessageHeader(
            TypeOf(message),
            written + rangeBytes,
            group,
            message.From,
            message.Session,
            message.Term,
            StreamOf(message))
        {
            DiskUse = message is AppendReply { DiskUsedPercent: { } used } ? (ushort)(used + 1) : (ushort)0,
        };
        header.Write(destination);
        return PeerMessageHeader.Length + written;
    }

    /// <summary>
    /// Reads a message whose header was read and whose body is complete; null when the body is not one of its type.
    /// The frames of an append are not looked at here; its bytes are a slice of <paramref name="body"/>.
    /// </summary>
    public static PeerMessage? TryRead(in PeerMessageHeader header, ReadOnlyMemory<byte> body)
    {
        if (header.Type == PeerMessageType.Append)
        {
            return AppendBodyCodec.TryRead(header, body);
        }

        if (!BodyReader.TryOpen(body.Span, out var reader))
        {
            return null;
        }

        var message = ReadBody(header, ref reader);
        return reader.IsExhausted ? message : null;
    }

    private static PeerMessageType TypeOf(PeerMessage message) => message switch
    {
        AppendRequest => PeerMessageType.Append,
        AppendReply => PeerMessageType.AppendReply,
        PreVoteRequest => PeerMessageType.PreVote,
        PreVoteReply => PeerMessageType.PreVoteReply,
        VoteRequest => PeerMessageType.Vote,
        VoteReply => PeerMessageType.VoteReply,
        TimeoutNow => PeerMessageType.TimeoutNow,
        Resigning => PeerMessageType.Resigning,
        GenesisOffer => PeerMessageType.GenesisOffer,
        _ => throw new InvariantViolationException($"no wire form for {message.GetType().Name}"),
    };

    private static int StreamOf(PeerMessage message) => message switch
    {
        AppendRequest append => append.Stream,
        AppendReply reply => reply.Stream,
        _ => 0,
    };

    private static void WriteBody(ref BodyWriter writer, PeerMessage message)
    {
        switch (message)
        {
            case AppendReply reply:
                WriteAppendReply(ref writer, reply);
                break;
            case PreVoteRequest request:
                writer.WriteInt64(request.Campaign);
                writer.WriteInt64(request.NextTerm.Value);
                writer.WriteInt64(request.LastTerm.Value);
                writer.WriteInt64(request.End.Value);
                break;
            case PreVoteReply reply:
                writer.WriteInt64(reply.Campaign);
                writer.WriteByte(reply.IsGranted ? (byte)1 : (byte)0);
                writer.WriteInt64(reply.LastTerm.Value);
                writer.WriteInt64(reply.End.Value);
                writer.WriteInt32(reply.Leader.Value);
                writer.WriteByte(reply.HasLoss ? (byte)1 : (byte)0);
                writer.WriteByte(reply.RemovedAt is null ? (byte)0 : (byte)1);
                if (reply.RemovedAt is { } removedAt)
                {
                    writer.WriteInt64(removedAt.Value);
                }

                break;
            case VoteRequest request:
                writer.WriteInt64(request.Campaign);
                writer.WriteInt64(request.LastTerm.Value);
                writer.WriteInt64(request.End.Value);
                writer.WriteByte(request.IsTransfer ? (byte)1 : (byte)0);
                break;
            case VoteReply reply:
                writer.WriteInt64(reply.Campaign);
                writer.WriteByte(reply.IsGranted ? (byte)1 : (byte)0);
                writer.WriteInt32(reply.Leader.Value);
                writer.WriteByte(reply.HasLoss ? (byte)1 : (byte)0);
                break;
            case TimeoutNow timeout:
                writer.WriteInt64(timeout.Transfer);
                break;
            case GenesisOffer offer:
                WriteGenesis(ref writer, offer.Genesis);
                break;
        }
    }

    private static PeerMessage? ReadBody(in PeerMessageHeader header, ref BodyReader reader) => header.Type switch
    {
        PeerMessageType.AppendReply => ReadAppendReply(header, ref reader),
        PeerMessageType.PreVote => new PreVoteRequest
        {
            From = header.Sender,
            Session = header.Session,
            Term = header.Term,
            Campaign = reader.ReadInt64(),
            NextTerm = reader.ReadTerm(),
            LastTerm = reader.ReadTerm(),
            End = reader.ReadPosition(),
        },
        PeerMessageType.PreVoteReply => new PreVoteReply
        {
            From = header.Sender,
            Session = header.Session,
            Term = header.Term,
            Campaign = reader.ReadInt64(),
            IsGranted = reader.ReadFlag(),
            LastTerm = reader.ReadTerm(),
            End = reader.ReadPosition(),
            Leader = reader.ReadNode(),
            HasLoss = reader.ReadFlag(),
            RemovedAt = reader.ReadFlag() ? reader.ReadPosition() : null,
        },
        PeerMessageType.Vote => new VoteRequest
        {
            From = header.Sender,
            Session = header.Session,
            Term = header.Term,
            Campaign = reader.ReadInt64(),
            LastTerm = reader.ReadTerm(),
            End = reader.ReadPosition(),
            IsTransfer = reader.ReadFlag(),
        },
        PeerMessageType.VoteReply => new VoteReply
        {
            From = header.Sender,
            Session = header.Session,
            Term = header.Term,
            Campaign = reader.ReadInt64(),
            IsGranted = reader.ReadFlag(),
            Leader = reader.ReadNode(),
            HasLoss = reader.ReadFlag(),
        },
        PeerMessageType.TimeoutNow => new TimeoutNow
        {
            From = header.Sender,
            Session = header.Session,
            Term = header.Term,
            Transfer = reader.ReadInt64(),
        },
        PeerMessageType.Resigning => new Resigning
        {
            From = header.Sender,
            Session = header.Session,
            Term = header.Term,
        },
        PeerMessageType.GenesisOffer => ReadGenesis(header, ref reader),
        _ => null,
    };

    private static void WriteAppendReply(ref BodyWriter writer, AppendReply reply)
    {
        writer.WriteInt64(reply.SentAt);
        writer.WriteInt64(reply.Durable.Value);
        writer.WriteInt64(reply.Received.Value);
        writer.WriteInt64(reply.Applied.Value);
        writer.WriteInt64(reply.SyncAge);
        writer.WriteByte(reply.Mismatch is null ? (byte)0 : (byte)1);
        if (reply.Mismatch is not { } mismatch)
        {
            return;
        }

        Invariant.Check(
            mismatch.Epochs.Count <= LogMismatch.EpochCountMax, $"a mismatch of {mismatch.Epochs.Count} epochs");
        writer.WriteInt64(mismatch.Start.Value);
        writer.WriteInt64(mismatch.End.Value);
        writer.WriteByte(mismatch.IsCutShort ? (byte)1 : (byte)0);
        writer.WriteByte((byte)mismatch.Epochs.Count);
        foreach (var epoch in mismatch.Epochs)
        {
            writer.WriteInt64(epoch.Term.Value);
            writer.WriteInt64(epoch.Start.Value);
        }
    }

    private static AppendReply ReadAppendReply(in PeerMessageHeader header, ref BodyReader reader) => new()
    {
        From = header.Sender,
        Session = header.Session,
        Term = header.Term,
        Stream = header.Stream,
        SentAt = reader.ReadInt64(),
        Durable = reader.ReadPosition(),
        Received = reader.ReadPosition(),
        Applied = reader.ReadPosition(),
        SyncAge = reader.ReadInt64(),
        DiskUsedPercent = header.DiskUse is > 0 and <= 101 ? header.DiskUse - 1 : null,
        Mismatch = reader.ReadFlag() ? ReadMismatch(ref reader) : null,
    };

    private static LogMismatch ReadMismatch(ref BodyReader reader)
    {
        var start = reader.ReadPosition();
        var end = reader.ReadPosition();
        var isCutShort = reader.ReadFlag();
        var count = Math.Min((int)reader.ReadByte(), LogMismatch.EpochCountMax);
        var epochs = new List<Epoch>(count);
        for (var i = 0; i < count && reader.IsWhole; i++)
        {
            epochs.Add(new Epoch(reader.ReadTerm(), reader.ReadPosition()));
        }

        return new LogMismatch(start, end, epochs, isCutShort);
    }

    private static void WriteGenesis(ref BodyWriter writer, Genesis genesis)
    {
        writer.WriteGuid(genesis.ClusterId);
        writer.WriteByte((byte)genesis.Voters.Count);
        foreach (var voter in genesis.Voters)
        {
            writer.WriteInt32(voter.Node.Value);
            writer.WriteGuid(voter.StorageId);
        }
    }

    private static GenesisOffer? ReadGenesis(in PeerMessageHeader header, ref BodyReader reader)
    {
        var clusterId = reader.ReadGuid();
        var count = reader.ReadByte();
        var voters = new List<GenesisVoter>(count);
        for (var i = 0; i < count && reader.IsWhole; i++)
        {
            voters.Add(new GenesisVoter(reader.ReadNode(), reader.ReadGuid()));
        }

        var isUsable = reader.IsWhole && clusterId != Guid.Empty
            && voters.Count is > 0 and <= Genesis.VoterCountMax
            && voters.All(voter => voter.Node != NodeId.None && voter.StorageId != Guid.Empty)
            && voters.Select(voter => voter.Node).Distinct().Count() == voters.Count;
        return !isUsable ? null : new GenesisOffer
        {
            From = header.Sender,
            Session = header.Session,
            Term = header.Term,
            Genesis = new Genesis(clusterId, voters),
        };
    }
}
