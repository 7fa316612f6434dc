using Dledger.Frontend.Messaging.Clients;
using Dledger.Primitives;
using Dledger.Protocol.Node.V1;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>What became of a question to a client, as a status.</summary>
internal static class ClientAnswers
{
    /// <summary>The client's own word, or why there is none.</summary>
    public static Wire.Status StatusOf(
        AskClientResponse outcome, string clientId, string group, IReadOnlyList<NodeId> missing)
    {
        var client = Arguments.Printable(clientId);
        return outcome.State switch
        {
            ClientAnswerState.Answered => OfClient(outcome.Answer.Status, client),
            ClientAnswerState.OtherGroup => StatusMapping.Status(
                Wire.Code.NotFound, $"the client '{client}' is connected, but does not belong to the group '{group}'"),
            ClientAnswerState.NoAnswer => StatusMapping.Status(
                Wire.Code.ProxyTimeout,
                $"the client '{client}' has not answered within {ConnectedClients.AnswerTimeMax.TotalSeconds} s; it may have done what it was asked"),
            ClientAnswerState.TooMany => StatusMapping.Status(
                Wire.Code.TooManyRequests, $"too many questions wait for the client '{client}' already; try again later"),
            _ => NotConnected(clientId, group, missing),
        };
    }

    public static Wire.Status NotConnected(string clientId, string group, IReadOnlyList<NodeId> missing)
    {
        var client = Arguments.Printable(clientId);
        var ofGroup = group.Length == 0 ? "" : $" of the group '{group}'";
        return missing.Count == 0
            ? StatusMapping.Status(
                Wire.Code.NotFound,
                $"the client '{client}'{ofGroup} is not connected; ListConsumerConnection shows the clients of a group")
            : StatusMapping.Status(
                Wire.Code.ProxyTimeout,
                $"the client '{client}'{ofGroup} is not connected to the nodes that answered; node {string.Join(", ", missing)} did not");
    }

    private static Wire.Status OfClient(Wire.Status? status, string client) => status switch
    {
        null => StatusMapping.Status(Wire.Code.InternalError, $"the client '{client}' answered without a status"),
        { Code: Wire.Code.Ok } => StatusMapping.Ok,
        _ => StatusMapping.Status(
            status.Code == Wire.Code.Unspecified ? Wire.Code.InternalError : status.Code,
            $"the client '{client}' answered {(int)status.Code}: {Arguments.Printable(status.Message)}"),
    };
}
