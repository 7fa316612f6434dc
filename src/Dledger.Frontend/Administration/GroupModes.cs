using Dledger.Broker.Groups;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Modes = Dledger.Broker.Groups;
using Wire = Dledger.Protocol.Admin.V1;

namespace Dledger.Frontend.Administration;

/// <summary>The modes of a consumer group between wire and broker. A number that the wire does not know stays one that no rule allows.</summary>
internal static class GroupModes
{
    public static Modes.PoisonMode FromWire(Wire.PoisonMode mode) =>
        mode == Wire.PoisonMode.Unspecified ? default : (Modes.PoisonMode)ToByte((int)mode);

    public static Modes.AckMode FromWire(Wire.AckMode mode) =>
        mode == Wire.AckMode.Unspecified ? default : (Modes.AckMode)ToByte((int)mode);

    public static Modes.ExpiryMode FromWire(Wire.ExpiryMode mode) =>
        mode == Wire.ExpiryMode.Unspecified ? default : (Modes.ExpiryMode)ToByte((int)mode);

    /// <summary>Fills in modes, caps and the pause.</summary>
    public static void ToWire(GroupView group, Group wire)
    {
        var settings = group.Settings;
        wire.Poison = (Wire.PoisonMode)(1 + (int)settings.Poison);
        wire.BackoffOnExpiry = settings.BackoffOnExpiry;
        wire.AckMode = (Wire.AckMode)(1 + (int)settings.AckMode);
        wire.Exclusive = settings.Exclusive;
        wire.MaxInFlight = settings.MaxInFlight;
        wire.MaxInFlightPerClient = settings.MaxInFlightPerClient;
        wire.Expiry = (Wire.ExpiryMode)(1 + (int)settings.Expiry);
        wire.ReceiveMessagesPerSecond = settings.ReceiveQuota.MessagesPerSecond;
        wire.ReceiveBytesPerSecond = settings.ReceiveQuota.BytesPerSecond;
        wire.Pause = group.Pause is not { } pause
            ? null
            : new Wire.GroupPause
            {
                Reason = pause.Reason,
                Since = TimeOf(pause.SinceMicroseconds),
                Until = pause.UntilMicroseconds == long.MaxValue ? null : TimeOf(pause.UntilMicroseconds),
            };
    }

    /// <summary>A log time.</summary>
    public static Timestamp TimeOf(long microseconds) =>
        Timestamp.FromDateTime(DateTime.UnixEpoch.AddMicroseconds(microseconds));

    private static byte ToByte(int wire) => wire is > 0 and < byte.MaxValue ? (byte)(wire - 1) : byte.MaxValue;
}
