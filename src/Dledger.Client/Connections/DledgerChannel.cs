using Dledger.Client.Errors;
using Grpc.Core;

namespace Dledger.Client.Connections;

/// <summary>The connections to a cluster, shared by producers, consumers and the admin client. Safe for any thread.</summary>
/// <remarks>
/// Any node answers any call and forwards what only the leader can do, so one reachable address is enough. It tells where the leader
/// is, and later calls go there at once; where that cannot be reached, they take the detour again. A call that a node does not take goes
/// to the next address, after a short wait once all were tried, until <see cref="DledgerChannelOptions.RetryTimeout"/> is over. A refusal that says when to come again is asked again then, on the same node.
/// </remarks>
public sealed class DledgerChannel : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelayMin = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RetryDelayMax = TimeSpan.FromMilliseconds(500);

    /// <summary>Nodes that a cluster may tell of beside those of the options.</summary>
    private const int OtherNodesMax = 16;

    /// <summary>How long an address of a leader that did not answer is left alone: perhaps it is not one for this client.</summary>
    private static readonly TimeSpan LeaderPause = TimeSpan.FromSeconds(30);

    private const string LeaderTrailer = "x-dledger-leader";

    private readonly NodeConnection[] _nodes;
    private readonly List<NodeConnection> _others = [];
    private readonly TimeProvider _time;
    private int _current;
    private NodeConnection? _leader;
    private NodeConnection? _unreachable;
    private long _unreachableSince;

    /// <summary>Opens nothing yet; connections come with the first call.</summary>
    /// <exception cref="ArgumentException">No address, or one that is none.</exception>
    public DledgerChannel(DledgerChannelOptions options, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(options.Addresses.Count, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.RequestTimeout, TimeSpan.FromMilliseconds(100), nameof(options));
        Options = options;
        _time = time ?? TimeProvider.System;
        _nodes = [.. options.Addresses.Select(address => new NodeConnection(NodeAddress.Parse(address), options))];
    }

    /// <summary>As given.</summary>
    public DledgerChannelOptions Options { get; }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Concat(_others))
        {
            node.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Makes a call that may be repeated: nothing happens twice, or it does not matter.</summary>
    internal Task<T> CallAsync<T>(
        string operation, Func<NodeConnection, CallOptions, Task<T>> call, CancellationToken cancellationToken) =>
        CallAsync(operation, call, Options.RequestTimeout, isRepeatable: true, cancellationToken);

    /// <summary>Makes one call, on another node when the first does not take it.</summary>
    /// <param name="operation">What is asked of what, for messages.</param>
    /// <param name="call">The call on one node; judges the status inside the answer by itself.</param>
    /// <param name="timeout">Deadline of one attempt.</param>
    /// <param name="isRepeatable">Also try again when the first attempt may have taken effect.</param>
    /// <param name="cancellationToken">Stops waiting; undoes nothing.</param>
    internal async Task<T> CallAsync<T>(
        string operation,
        Func<NodeConnection, CallOptions, Task<T>> call,
        TimeSpan timeout,
        bool isRepeatable,
        CancellationToken cancellationToken)
    {
        var begun = _time.GetTimestamp();
        var mayHaveHappened = false;
        for (var attempt = 1; ; attempt++)
        {
            var current = Volatile.Read(ref _current);
            var leader = Volatile.Read(ref _leader);
            var node = leader ?? _nodes[current];
            DledgerException failure;
            try
            {
                var options = new CallOptions(
                    node.Headers(), _time.GetUtcNow().UtcDateTime + timeout, cancellationToken);
                return await call(node, options).ConfigureAwait(false);
            }
            catch (RpcException exception)
            {
                cancellationToken.ThrowIfCancellationRequested();
                failure = CallFailure.Judge(exception, operation, node.Address);
            }
            catch (DledgerException exception) when (exception.IsTransient)
            {
                failure = exception;
            }

            mayHaveHappened |= failure is OutcomeUnknownException;
            var isOver = leader is null && _time.GetElapsedTime(begun) >= Options.RetryTimeout && attempt >= _nodes.Length;
            if (!failure.IsTransient || isOver || (mayHaveHappened && !isRepeatable))
            {
                throw mayHaveHappened && failure is ClusterUnavailableException
                    ? new OutcomeUnknownException(failure.Summary, "An earlier attempt may have been done.", failure)
                    : failure;
            }

            if (failure is ClusterUnavailableException { RetryAfter: { } wait })
            {
                if (_time.GetElapsedTime(begun) + wait > Options.RetryTimeout)
                {
                    throw failure;
                }

                await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (leader is not null)
            {
                // The addresses that were given have not been tried yet.
                LeaveLeader(leader, isUnreachable: failure.InnerException is RpcException);
                attempt--;
                continue;
            }

            Interlocked.CompareExchange(ref _current, (current + 1) % _nodes.Length, current);
            if (attempt % _nodes.Length == 0)
            {
                await Task.Delay(RetryDelay(attempt / _nodes.Length), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits for the answer of a node, and hears where the leader is.</summary>
    internal async Task<T> AskAsync<T>(NodeConnection node, AsyncUnaryCall<T> call)
    {
        using (call)
        {
            var answer = await call.ResponseAsync.ConfigureAwait(false);
            Hear(node, call.GetTrailers());
            return answer;
        }
    }

    /// <summary>A node has answered with these trailers.</summary>
    internal void Hear(NodeConnection node, Metadata trailers)
    {
        if (trailers.Count == 0 || trailers.GetValue(LeaderTrailer) is not { } address)
        {
            return;
        }

        var leader = NodeFor(address);
        var isLeftAlone = leader == Volatile.Read(ref _unreachable)
            && _time.GetElapsedTime(Volatile.Read(ref _unreachableSince)) < LeaderPause;
        if (leader != node && !isLeftAlone)
        {
            Volatile.Write(ref _leader, leader);
        }
    }

    /// <summary>The node at an address that the cluster told, or, for none, the one that takes calls at present.</summary>
    internal NodeConnection NodeFor(string? address)
    {
        if (!NodeAddress.TryParse(address, _nodes[0].Address.Uri.Scheme, out var parsed))
        {
            return Volatile.Read(ref _leader) ?? _nodes[Volatile.Read(ref _current)];
        }

        lock (_others)
        {
            var known = _nodes.Concat(_others).FirstOrDefault(node => node.Address == parsed);
            if (known is null && _others.Count < OtherNodesMax)
            {
                _others.Add(known = new NodeConnection(parsed, Options));
            }

            return known ?? _nodes[Volatile.Read(ref _current)];
        }
    }

    /// <summary>A node did not serve: the next call goes to another one.</summary>
    internal void Leave(NodeConnection? node)
    {
        if (node is not null)
        {
            LeaveLeader(node, isUnreachable: false);
        }

        var current = Volatile.Read(ref _current);
        if (node == _nodes[current])
        {
            Interlocked.CompareExchange(ref _current, (current + 1) % _nodes.Length, current);
        }
    }

    private void LeaveLeader(NodeConnection leader, bool isUnreachable)
    {
        if (Interlocked.CompareExchange(ref _leader, null, leader) == leader && isUnreachable)
        {
            Volatile.Write(ref _unreachableSince, _time.GetTimestamp());
            Volatile.Write(ref _unreachable, leader);
        }
    }

    private static TimeSpan RetryDelay(int round)
    {
        var delay = RetryDelayMin * Math.Pow(2, Math.Min(round - 1, 10));
        return (delay < RetryDelayMax ? delay : RetryDelayMax) * (0.5 + (Random.Shared.NextDouble() / 2));
    }
}
