using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Client.Errors;

/// <summary>Turns the status inside an answer into an exception, or into nothing when it is good.</summary>
internal static class ResponseStatus
{
    /// <summary>The exception for an answer of the messaging service; null when it is OK.</summary>
    /// <param name="status">As answered; a missing one is a fault of the server.</param>
    /// <param name="operation">What was asked of what, for the message.</param>
    public static DledgerException? Judge(Status? status, string operation)
    {
        if (status is null)
        {
            return new ServerFaultException($"{operation}: the answer has no status.", "Look into the log of the node.");
        }

        var text = $"{operation}: {status.Message} ({(int)status.Code} {status.Code}).";
        return status.Code switch
        {
            Code.Ok or Code.MultipleResults => null,
            Code.TopicNotFound => new ResourceNotFoundException(text, "Create it: dledger topic create <name>"),
            Code.ConsumerGroupNotFound => new ResourceNotFoundException(text, "Create it: dledger group create <name>"),
            Code.NotFound or Code.OffsetNotFound => new ResourceNotFoundException(text, ""),
            Code.TooManyRequests => new ClusterUnavailableException(text, "Try again in a moment.")
            {
                RetryAfter = RetryHint.Find(status.Message),
            },
            Code.HaNotAvailable => new ClusterUnavailableException(
                text, "A majority of the nodes must run: dledger cluster status"),
            Code.ProxyTimeout or Code.MasterPersistenceTimeout or Code.SlavePersistenceTimeout =>
                new OutcomeUnknownException(text, "It may have been done; sending again may store it twice."),
            _ when IsRefusal((int)status.Code) => new RequestRefusedException(text, "", status.Code.ToString()),
            _ => new ServerFaultException(text, "Look into the log of the node."),
        };
    }

    /// <summary>The exception for an answer of the admin service; null when it is OK.</summary>
    public static DledgerException? Judge(AdminStatus? status, string operation)
    {
        if (status is null)
        {
            return new ServerFaultException($"{operation}: the answer has no status.", "Look into the log of the node.");
        }

        var text = $"{operation}: {status.Message}";
        return status.Code switch
        {
            AdminCode.AdminOk => null,
            AdminCode.AdminNotFound => new ResourceNotFoundException(text, status.Hint),
            AdminCode.AdminUnavailable or AdminCode.AdminBusy => new ClusterUnavailableException(text, status.Hint),
            AdminCode.AdminOutcomeUnknown => new OutcomeUnknownException(text, status.Hint),
            AdminCode.AdminInvalidArgument or AdminCode.AdminAlreadyExists =>
                new RequestRefusedException(text, status.Hint, status.Code.ToString()),
            _ => new ServerFaultException(text, status.Hint),
        };
    }

    // The hundreds of a code follow the families of HTTP; 501xx and 505xx say that a thing is not offered.
    private static bool IsRefusal(int code) => code is (>= 40000 and < 50000) or (>= 50100 and < 50200) or (>= 50500 and < 50600);
}
