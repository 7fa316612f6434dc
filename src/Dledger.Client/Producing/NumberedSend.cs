using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Grpc.Core;

namespace Dledger.Client.Producing;

/// <summary>One batch on its way through a <see cref="Lane"/>, repeated with the same numbers until its fate is known.</summary>
internal sealed class NumberedSend(DledgerChannel channel, Lane lane, SendMessageRequest request, string operation)
{
    private readonly string _topic = request.Messages[0].Topic.Name;

    /// <summary>An attempt ended so that it may have stored the batch.</summary>
    private bool _mayBeStored;

    /// <summary>What the cluster said last about the numbers; Ok when nothing.</summary>
    private Code _verdict;

    /// <summary>The answer; null when the cluster does not offer numbers.</summary>
    public async Task<SendMessageResponse?> RunAsync(CancellationToken cancellationToken)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            if (!await lane.TryOpenAsync(operation, _topic, request.Messages.Count, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }

            try
            {
                var response = await channel.CallAsync(operation, AttemptAsync, cancellationToken).ConfigureAwait(false);
                lane.Advance(_topic, request.Messages.Count);
                return response;
            }
            catch (DledgerException failure)
            {
                var isForgotten = _verdict is Code.NotFound or Code.PreconditionFailed;
                if (_mayBeStored || isForgotten)
                {
                    lane.Reset();
                }

                // The cluster knows the numbers no longer, so it can not tell whether an earlier attempt is stored. Nor may the
                // batch be sent again under new ones: that might store it twice.
                if (_mayBeStored && (isForgotten || _verdict == Code.Forbidden))
                {
                    throw new OutcomeUnknownException(
                        failure.Summary, "An earlier attempt may be stored; sending again may store it twice.", failure);
                }

                if (!isForgotten || !isFirst)
                {
                    throw;
                }
            }
            catch (OperationCanceledException)
            {
                lane.Reset();
                throw;
            }
        }
    }

    private async Task<SendMessageResponse> AttemptAsync(NodeConnection node, CallOptions options)
    {
        _verdict = Code.Ok;
        lane.Number(options.Headers!, _topic);
        SendMessageResponse response;
        try
        {
            response = await channel.AskAsync(node, node.Messaging.SendMessageAsync(request, options)).ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // Even of a lost connection nobody knows what went over it.
            _mayBeStored = true;
            throw;
        }

        var codes = response.Entries.Select(entry => entry.Status?.Code ?? Code.Unspecified).Append(
            response.Status?.Code ?? Code.Unspecified);
        _verdict = codes.FirstOrDefault(code => code is Code.NotFound or Code.PreconditionFailed or Code.Forbidden, Code.Ok);
        if (ProducerAnswer.Judge(response, operation, request.Messages.Count) is not { } failure)
        {
            return response;
        }

        _mayBeStored |= failure is OutcomeUnknownException or ServerFaultException || response.Status?.Code == Code.MultipleResults;
        throw failure;
    }
}
