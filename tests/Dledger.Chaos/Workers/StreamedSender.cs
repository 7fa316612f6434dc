using Dledger.Chaos.Histories;
using Dledger.Client.Errors;
using Dledger.Client.Producing;
using Dledger.Client.Streaming;

namespace Dledger.Chaos.Workers;

/// <summary>Sends messages over a stream that it shares with others: as batches, and one by one at the same time.</summary>
/// <remarks>
/// The producer numbers its messages and repeats by itself what it was not answered, so each send is one attempt: it may be stored once.
/// Every message of a batch is an operation of its own, of a worker of its own.
/// </remarks>
internal sealed class StreamedSender(Workload workload, Pace pace, string name, StreamProducer producer)
{
    private const int LaneCount = 8;
    private const int BodyBytesMin = 64;
    private const int BodyBytesMax = 1024;

    private static readonly TimeSpan TimeMax = Workload.OperationTimeMax - TimeSpan.FromSeconds(2);

    private readonly Random _random = workload.RandomOf(name);
    private readonly Lane[] _lanes = [.. Enumerable.Range(0, LaneCount).Select(i => new Lane($"{name}{(char)('a' + i)}"))];

    public async Task RunAsync()
    {
        while (await pace.TakeAsync())
        {
            var sends = _lanes[..(1 + _random.Next(LaneCount))].Select(Invoke).ToArray();
            if (_random.Next(2) == 0)
            {
                await SendAsync(sends, (messages, token) => producer.SendAsync(messages, token));
            }
            else
            {
                await Task.WhenAll(sends.Select(send => SendAsync([send], SendOneAsync)));
            }
        }
    }

    private Send Invoke(Lane lane)
    {
        var (worker, id) = lane.Next();
        var entry = new HistoryEntry { Function = "send", Worker = worker, Topic = Workload.Topic, Id = id };
        workload.Recorder.Record(entry with { Phase = "invoke" });
        var body = MessageBody.Encode(id, Workload.Topic, _random.Next(BodyBytesMin, BodyBytesMax));
        return new Send(lane, entry, new OutgoingMessage(Workload.Topic, body) { MessageId = id });
    }

    private async Task<BatchReceipt> SendOneAsync(IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken) =>
        new(0, (await producer.SendAsync(messages[0], cancellationToken)).Offset, 1);

    private async Task SendAsync(
        IReadOnlyList<Send> sends, Func<IReadOnlyList<OutgoingMessage>, CancellationToken, Task<BatchReceipt>> send)
    {
        using var limit = new CancellationTokenSource(TimeMax);
        var end = CallEnd.Done;
        BatchReceipt? receipt = null;
        try
        {
            receipt = await send([.. sends.Select(one => one.Message)], limit.Token);
        }
        catch (DledgerException failure)
        {
            end = CallEnd.Of(failure);
        }
        catch (OperationCanceledException)
        {
            // Who stops waiting takes nothing back.
            end = new CallEnd(Certainty.Unknown, "NOT_WAITED_FOR");
        }

        for (var i = 0; i < sends.Count; i++)
        {
            End(sends[i], end, receipt?.OffsetOf(i));
        }
    }

    private void End(in Send send, CallEnd end, long? offset)
    {
        // Where a repeat was stored that is so old that the cluster has forgotten it, nobody tells.
        end = offset < 0 ? new CallEnd(Certainty.Unknown, "PLACE_FORGOTTEN") : end;
        workload.Recorder.Record(send.Entry with { Function = "try", Phase = end.Phase, Error = end.Error });
        workload.Recorder.Record(send.Entry with { Phase = end.Phase, Error = end.Error, Offset = end.Certainty == Certainty.Done ? offset : null });
        if (end.Certainty == Certainty.Unknown)
        {
            send.Lane.Rename();
        }
    }

    private readonly record struct Send(Lane Lane, HistoryEntry Entry, OutgoingMessage Message);

    /// <summary>One message at a time under one name.</summary>
    private sealed class Lane(string name)
    {
        private int _names;
        private int _counter;

        private string Worker => _names == 0 ? name : $"{name}-{_names}";

        public (string Worker, string Id) Next() => (Worker, $"{Worker}.{++_counter}");

        /// <summary>A name with an open operation is not used again.</summary>
        public void Rename()
        {
            _names++;
            _counter = 0;
        }
    }
}
