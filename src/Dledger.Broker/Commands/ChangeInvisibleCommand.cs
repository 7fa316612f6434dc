using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>
/// Body of a ChangeInvisible record: a receiver moves one delivery's deadline, or the leader extends whole leases.
/// Layout: FORMAT.md.
/// </summary>
/// <param name="InvisibleMicroseconds">The new deadline is the frame's log time plus this.</param>
/// <param name="Suspend">The redelivery does not count as an attempt.</param>
/// <param name="Change">The delivery to change; null for a renewal.</param>
/// <param name="GroupId">Its group; 0 for a renewal.</param>
/// <param name="TopicId">Its topic; 0 for a renewal.</param>
/// <param name="RenewedLeases">Ids of leases to extend; empty for a change.</param>
/// <param name="RenewalMicrosecondsMax">A renewed lease ends at most this long after its start.</param>
internal sealed record ChangeInvisibleCommand(
    long InvisibleMicroseconds,
    bool Suspend,
    int GroupId,
    int TopicId,
    DeliveryReference? Change,
    IReadOnlyList<long> RenewedLeases,
    long RenewalMicrosecondsMax)
{
    /// <summary>
    /// With <see cref="RaisesToBackoff"/> a duration that is shorter than the group's back-off by this factor or more was meant to be it.
    /// </summary>
    public const int TooShortBy = 500;

    private const byte FormatVersion = 2;
    private const byte ChangeForm = 0;
    private const byte RenewalForm = 1;

    /// <summary>The receiver's SDK is known to ask for a fraction of the back-off that it means.</summary>
    public bool RaisesToBackoff { get; init; }

    public static ChangeInvisibleCommand OfChange(
        int groupId, int topicId, DeliveryReference delivery, long invisibleMicroseconds, bool suspend) =>
        new(invisibleMicroseconds, suspend, groupId, topicId, delivery, [], 0);

    public static ChangeInvisibleCommand OfRenewal(
        IReadOnlyList<long> leases, long invisibleMicroseconds, long renewalMicrosecondsMax) =>
        new(invisibleMicroseconds, false, 0, 0, null, leases, renewalMicrosecondsMax);

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        if (Change is { } delivery)
        {
            writer.Byte(ChangeForm);
            writer.Flag(Suspend);
            writer.Flag(RaisesToBackoff);
            writer.Int64(InvisibleMicroseconds);
            writer.Int32(GroupId);
            writer.Int32(TopicId);
            delivery.Write(writer);
            return writer.ToArray();
        }

        writer.Byte(RenewalForm);
        writer.Int64(InvisibleMicroseconds);
        writer.Int64(RenewalMicrosecondsMax);
        writer.Int32(RenewedLeases.Count);
        foreach (var lease in RenewedLeases)
        {
            writer.Int64(lease);
        }

        return writer.ToArray();
    }

    public static ChangeInvisibleCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var form = reader.Byte();
        if (form == ChangeForm)
        {
            var suspend = reader.Flag();
            var raises = reader.Flag();
            var duration = reader.Int64();
            var groupId = reader.Int32();
            var topicId = reader.Int32();
            var delivery = DeliveryReference.Read(ref reader);
            reader.End();
            return OfChange(groupId, topicId, delivery, duration, suspend) with { RaisesToBackoff = raises };
        }

        Invariant.Check(form == RenewalForm, $"a stored change of the invisible time has form {form}");
        var invisible = reader.Int64();
        var renewalMax = reader.Int64();
        var leases = new long[reader.Count(8)];
        for (var i = 0; i < leases.Length; i++)
        {
            leases[i] = reader.Int64();
        }

        reader.End();
        return OfRenewal(leases, invisible, renewalMax);
    }
}
