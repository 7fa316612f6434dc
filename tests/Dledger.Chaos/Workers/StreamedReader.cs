using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Streaming;

namespace Dledger.Chaos.Workers;

/// <summary>Reads one queue from its first message on, without a group: every message once and in order, whatever happens to the nodes.</summary>
internal sealed class StreamedReader(Workload workload, string name, int queueId, DledgerChannel channel) : IAsyncDisposable
{
    private static readonly TimeSpan ReadTimeMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ErrorDelay = TimeSpan.FromMilliseconds(50);

    private readonly QueueReader _reader = new(channel, Workload.Topic, queueId, offset: 0);
    private int _names;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var entry = new HistoryEntry
            {
                Function = "read",
                Worker = _names == 0 ? name : $"{name}-{_names}",
                Group = name,
                Topic = Workload.Topic,
            };
            workload.Recorder.Record(entry with { Phase = "invoke" });
            using var limit = new CancellationTokenSource(ReadTimeMax);
            try
            {
                var delivery = await _reader.ReadAsync(limit.Token);
                workload.Recorder.Record(entry with { Phase = "ok", Messages = [.. delivery.Select(PlaceOf)] });
            }
            catch (OperationCanceledException)
            {
                // The end of the queue.
                workload.Recorder.Record(entry with { Phase = "ok", Messages = [] });
            }
            catch (DledgerException failure)
            {
                workload.Recorder.Record(entry with { Phase = "info", Error = failure.GetType().Name });
                _names++;
                await Wait.ForAsync(ErrorDelay, CancellationToken.None);
            }
        }
    }

    public ValueTask DisposeAsync() => _reader.DisposeAsync();

    private static Delivery PlaceOf(StreamedMessage message)
    {
        var isWhole = MessageBody.TryDecode(message.Body.Span, out var id, out var sentTo)
            && sentTo == Workload.Topic && message.MessageId == id;
        return Delivery.Final(message.QueueId, message.Offset, id, isWhole);
    }
}
