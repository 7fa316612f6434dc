using Dledger.Chaos.Machines;
using Dledger.Chaos.Workers;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Chaos.Clusters;

/// <summary>Changes the members as <c>dledger node add</c> and <c>dledger node remove</c> do: asks the same again, of one node
/// after the other, until it is done. Used by one fault at a time.</summary>
internal sealed class MemberOperator(ChaosCluster cluster) : IDisposable
{
    private static readonly TimeSpan CallTimeMax = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan ChangePatience = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan AskDelay = TimeSpan.FromMilliseconds(100);

    private readonly NodeClient[] _clients =
        [.. cluster.Nodes.Select(node => new NodeClient(node.Place, "chaos-operator"))];

    private int _next;

    /// <summary>What the cluster said last.</summary>
    public string LastAnswer { get; private set; } = "";

    /// <summary>Makes a node that runs a voter; false when it is none after 45 s.</summary>
    public Task<bool> AddAsync(ChaosNode node, CancellationToken cancellationToken) =>
        UntilDoneAsync((client, options) => AskToAddAsync(client, node, options), cancellationToken);

    /// <summary>Takes a node out; false when it is still a member after 45 s.</summary>
    public Task<bool> RemoveAsync(ChaosNode node, CancellationToken cancellationToken) =>
        UntilDoneAsync((client, options) => AskToRemoveAsync(client, node, options), cancellationToken);

    /// <summary>Asks for a removal for some time; true: it was done. Leaves the wish behind when it was not.</summary>
    public Task<bool> TryRemoveAsync(ChaosNode node, TimeSpan patience, CancellationToken cancellationToken) =>
        UntilDoneAsync((client, options) => AskToRemoveAsync(client, node, options), cancellationToken, patience);

    /// <summary>Makes a node a voter however it stands. One that is no member comes back with an empty directory, as an
    /// operator has to do it.</summary>
    public async Task<bool> RestoreAsync(ChaosNode node, CancellationToken cancellationToken)
    {
        var role = (await cluster.MembersAsync()).GetValueOrDefault(node.Id);
        if (role == MemberRole.MemberVoter)
        {
            return true;
        }

        if (role == MemberRole.MemberNone)
        {
            await node.KillAsync();
            node.Wipe();
        }

        if (!node.IsRunning)
        {
            node.Start();
        }

        return await AddAsync(node, cancellationToken);
    }

    public void Dispose() => Array.ForEach(_clients, client => client.Dispose());

    private static AsyncUnaryCall<ChangeMembersResponse> AskToAddAsync(NodeClient client, ChaosNode node, CallOptions options) =>
        client.Admin.AddNodeAsync(
            new AddNodeRequest { NodeId = node.Id, Host = node.Place.Host, PeerPort = node.Place.PeerPort }, options);

    private static AsyncUnaryCall<ChangeMembersResponse> AskToRemoveAsync(NodeClient client, ChaosNode node, CallOptions options) =>
        client.Admin.RemoveNodeAsync(new RemoveNodeRequest { NodeId = node.Id }, options);

    private Task<bool> UntilDoneAsync(
        Func<NodeClient, CallOptions, AsyncUnaryCall<ChangeMembersResponse>> ask,
        CancellationToken cancellationToken,
        TimeSpan? patience = null) => Wait.UntilAsync(
            patience ?? ChangePatience, () => AskAsync(ask, cancellationToken), cancellationToken, AskDelay);

    private async Task<bool> AskAsync(
        Func<NodeClient, CallOptions, AsyncUnaryCall<ChangeMembersResponse>> ask, CancellationToken cancellationToken)
    {
        var client = _clients[_next];
        try
        {
            var answer = await ask(client, client.Options(CallTimeMax, cancellationToken));
            LastAnswer = answer.Done ? "done" : $"{answer.Status.Code} {answer.Status.Message}{answer.WaitsFor}";
            if (answer.Status.Code == AdminCode.AdminOk)
            {
                return answer.Done;
            }
        }
        catch (RpcException exception)
        {
            LastAnswer = exception.Status.ToString();
        }

        // That node does not know the leader, or is down.
        _next = (_next + 1) % _clients.Length;
        return false;
    }
}
