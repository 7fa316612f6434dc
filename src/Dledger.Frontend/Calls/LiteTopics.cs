using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Calls;

/// <summary>Lite topics are streams by name inside a topic of type LITE. This version has none; here is what it answers.</summary>
internal static class LiteTopics
{
    private const string Absence = "lite topics are not implemented by this version";

    /// <summary>The answer to calls that are about nothing else.</summary>
    public static Wire.Status NotImplemented => StatusMapping.Status(Wire.Code.NotImplemented, Absence);

    /// <summary>Null without a lite topic beside a receipt handle.</summary>
    /// <remarks>No delivery of ours has one, so such a handle can never be good, and INVALID_RECEIPT_HANDLE is the only code after
    /// which clients give up instead of asking again each second.</remarks>
    public static Wire.Status? CheckHandle(string liteTopic) => liteTopic.Length == 0
        ? null
        : StatusMapping.Status(
            Wire.Code.InvalidReceiptHandle,
            $"the field 'lite_topic' is set, and no message of this server has one: {Absence}");
}
