using System.Globalization;
using Grpc.Core;

namespace Dledger.GrpcCompat.Wire;

/// <summary>Reading of <c>grpc-status</c> and <c>grpc-message</c>.</summary>
internal static class StatusFields
{
    /// <summary>A number outside 0..16 is read as UNKNOWN, text as UNKNOWN with the text in the detail.</summary>
    public static Status Parse(string code, string? encodedMessage)
    {
        var detail = encodedMessage is null ? "" : PercentEncoding.Decode(encodedMessage);
        if (!int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return new Status(
                StatusCode.Unknown, $"The peer sent the status \"{code}\", which is no number. {detail}".TrimEnd());
        }

        return number is >= (int)StatusCode.OK and <= (int)StatusCode.Unauthenticated
            ? new Status((StatusCode)number, detail)
            : new Status(StatusCode.Unknown, $"The peer sent the unknown status {number}. {detail}".TrimEnd());
    }

    public static string FormatCode(StatusCode code)
    {
        return ((int)code).ToString(CultureInfo.InvariantCulture);
    }
}
