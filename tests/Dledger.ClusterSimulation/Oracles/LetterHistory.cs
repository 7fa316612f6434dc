using System.Globalization;
using Dledger.Broker.Commands;
using Dledger.Broker.Letters;
using Dledger.Broker.Messages;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// Dead letters that operators send again, as copies for all groups or to the group that gave them up (I76): what the log holds, what the
/// operators were told, what the group was given.
/// </summary>
/// <remarks>
/// Nothing of this topic is given up by retention. A message becomes a letter at most once between two times that it is put back, so of one
/// message no more than one letter is unsent, and none while the message is not finished: the first record that names a letter takes effect.
/// </remarks>
internal sealed class LetterHistory(SimulatedCluster cluster)
{
    public const string Topic = "posted";
    public const string Group = "failing";

    private const string IdPrefix = "d:";

    private readonly HashSet<LetterReference> _sent = [];
    private readonly HashSet<LetterPlace> _confirmed = [];
    private readonly Dictionary<(int QueueId, long Offset), int> _putBack = [];
    private readonly Dictionary<(int QueueId, long Offset), HashSet<long>> _firstAttempts = [];
    private int _number;

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>A send begins; each has an id of its own.</summary>
    public string Invoke() => string.Create(CultureInfo.InvariantCulture, $"{IdPrefix}{++_number}");

    /// <summary>A Resend record is committed; whether its copy joins the topic.</summary>
    public bool Copied(LetterReference letter)
    {
        cluster.Marks.Reach("dead letter sent again");
        return _sent.Add(letter);
    }

    /// <summary>A Replay record that names a letter is committed.</summary>
    public void PutBack(ReplayCommand command)
    {
        if (_sent.Add(command.Letter!.Value))
        {
            var place = (command.QueueId, command.Ranges[0].First);
            _putBack[place] = _putBack.GetValueOrDefault(place) + 1;
            cluster.Marks.Reach("dead letter sent to its group again");
        }
    }

    /// <summary>An operator is told that a letter was sent again.</summary>
    public void Confirmed(LetterPlace letter)
    {
        cluster.Checks.Check(
            "I76", _confirmed.Add(letter), $"the letter {letter} was sent again twice");
        cluster.Checks.Check(
            "I76",
            _sent.Any(sent => sent.QueueId == letter.QueueId && sent.Offset == letter.Offset.Value),
            $"the letter {letter} was sent again, but no record of the log says so");
    }

    /// <summary>Messages came. Attempts begin anew only when a letter was sent to the group.</summary>
    public void Delivered(IReadOnlyList<DeliveredMessage> messages)
    {
        foreach (var message in messages)
        {
            var stored = cluster.Oracle.FindAt(message.Position);
            cluster.Checks.Check(
                "I7",
                stored is not null && stored.Id == message.MessageId && stored.QueueId == message.QueueId
                    && stored.Offset == message.QueueOffset.Value && stored.Body.AsSpan().SequenceEqual(message.Body.Span),
                $"{Group} is given {message.MessageId} at {message.QueueId}/{message.QueueOffset}");
            if (message.Attempt == 1)
            {
                FirstAttempt(message);
            }
        }
    }

    private void FirstAttempt(DeliveredMessage message)
    {
        cluster.Checks.Check(
            "I7", cluster.Receipts.TryDecode(message.ReceiptHandle, out var receipt), $"{message.ReceiptHandle} is no receipt handle");
        var place = (message.QueueId, message.QueueOffset.Value);
        if (!_firstAttempts.TryGetValue(place, out var deliveries))
        {
            _firstAttempts.Add(place, deliveries = []);
        }

        deliveries.Add(receipt.Delivery.DeliveryId);
        cluster.Checks.Check(
            "I76",
            deliveries.Count <= 1 + _putBack.GetValueOrDefault(place),
            $"{message.MessageId} ({place}) began anew {deliveries.Count} times, letters of it were put back "
                + $"{_putBack.GetValueOrDefault(place)} times");
    }
}
