using System.Globalization;
using Dledger.Broker.Commands;
using Dledger.Broker.DeadLetters;
using Dledger.Broker.Letters;
using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Traces;

/// <summary>Takes the records of the log one by one and keeps what they say about one message.</summary>
/// <remarks>
/// Records say what somebody wanted; whether it had effect depends on what came before, which is followed here for this one message. One
/// that begins in the middle takes the first delivery that it meets for effective.
/// </remarks>
internal sealed class HistoryReader(
    int topicId,
    int queueId,
    long offset,
    LogPosition message,
    IReadOnlyDictionary<int, string> groups,
    IReadOnlySet<int> onceOnly,
    Func<long, string> nameOf)
{
    private readonly Dictionary<int, Course> _courses = [];

    /// <summary>In the order of the log.</summary>
    public List<TraceEvent> Events { get; } = [];

    /// <summary>Takes in the next record.</summary>
    public void Take(in RecordView record, LogPosition position)
    {
        switch (record.Kind)
        {
            case RecordKind.Lease:
                Take(LeaseCommand.Decode(record.Body), position, record.StoreTime);
                break;
            case RecordKind.Ack:
                Take(AckCommand.Decode(record.Body), position, record.StoreTime);
                break;
            case RecordKind.FinishUnseen:
                Take(FinishUnseenCommand.Decode(record.Body), position, record.StoreTime);
                break;
            case RecordKind.ResetOffset when SeekCommand.IsSeek(record.Body):
                Take(SeekCommand.Decode(record.Body), position, record.StoreTime);
                break;
            case RecordKind.CommitOffset:
                Take(CommitOffsetCommand.Decode(record.Body), position, record.StoreTime);
                break;
            case RecordKind.ChangeInvisible:
                Take(ChangeInvisibleCommand.Decode(record.Body), position, record.StoreTime);
                break;
            case RecordKind.Forward:
                TakeForward(record, position);
                break;
            case RecordKind.Resend:
                TakeResend(record, position);
                break;
            case RecordKind.Replay:
                Take(ReplayCommand.Decode(record.Body), position, record.StoreTime);
                break;
            case RecordKind.TopicTrim:
                var trim = TopicTrimCommand.Decode(record.Body);
                if (trim.TopicId == topicId && trim.Queues.Any(queue => queue.QueueId == queueId && queue.Min > offset))
                {
                    AddForAll(position, record.StoreTime, "the retention of the topic, or a purge, gave it up");
                }

                break;
            case RecordKind.LogStartAdvance when LogStartCommand.Decode(record.Body).Start > message:
                AddForAll(position, record.StoreTime, "retention gave it up");
                break;
            default:
                break;
        }
    }

    /// <summary>The time has come to here: deliveries that ended without another record are noted.</summary>
    public void EndAt(long logTime)
    {
        foreach (var (groupId, course) in _courses)
        {
            EndWhenDue(groupId, course, logTime);
        }
    }

    public static string Time(long microseconds) => microseconds is > 0 and < 253_402_300_799_000_000
        ? DateTimeOffset.UnixEpoch.AddTicks(microseconds * 10).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
        : "an unknown time";

    private void Take(LeaseCommand command, LogPosition position, long time)
    {
        if (command.TopicId != topicId || !groups.ContainsKey(command.GroupId))
        {
            return;
        }

        foreach (var queue in command.Queues.Where(queue => queue.QueueId == queueId))
        {
            var isLeased = Holds(queue.Leased);
            var isRepeat = Holds(queue.Repeats);
            if (!isLeased && !isRepeat && !Holds(queue.Skipped))
            {
                continue;
            }

            var course = CourseOf(command.GroupId, time);
            if (course.IsOpen || course.IsDone)
            {
                continue;
            }

            var client = nameOf(command.ClientHash);
            if (isRepeat)
            {
                course.IsDone = true;
                Add(
                    TraceEventKind.Deduplicated, position, time, command.GroupId, 0, "", 0,
                    "finished without delivery: the group had processed another message of its key");
                continue;
            }

            if (!isLeased)
            {
                course.IsDone = true;
                Add(TraceEventKind.FilteredOut, position, time, command.GroupId, 0, "", 0, "the filter of the group left it out");
                continue;
            }

            course.Attempts++;
            course.DeliveryId = position.Value;
            course.StartedAt = time;
            course.Deadline = time + command.InvisibleMicroseconds;
            if (onceOnly.Contains(command.GroupId))
            {
                course.Finish();
                Add(
                    TraceEventKind.Delivered, position, time, command.GroupId, course.Attempts, client, 0,
                    $"handed to client {client} and finished with that: the group is given messages at most once");
                continue;
            }

            Add(
                TraceEventKind.Delivered, position, time, command.GroupId, course.Attempts, client, course.Deadline,
                $"handed to client {client}, invisible until {Time(course.Deadline)}"
                    + (command.AutoRenew ? ", renewed while it lives" : ""));
        }
    }

    private void Take(AckCommand command, LogPosition position, long time)
    {
        if (command.TopicId != topicId || !groups.ContainsKey(command.GroupId))
        {
            return;
        }

        foreach (var delivery in command.Deliveries.Where(IsMessage))
        {
            var course = CourseOf(command.GroupId, time);
            if (course.IsDone)
            {
                continue;
            }

            if (course.DeliveryId == 0 || (course.IsOpen && course.DeliveryId == delivery.DeliveryId))
            {
                course.Finish();
                Add(TraceEventKind.Acknowledged, position, time, command.GroupId, course.Attempts, "", 0, "acknowledged");
            }
            else
            {
                Add(
                    TraceEventKind.LateAnswer, position, time, command.GroupId, course.Attempts, "", 0,
                    "an acknowledgement came too late: the message had become visible again");
            }
        }
    }

    // It was leased, looked at and given to nobody, so that lease is no delivery.
    private void Take(FinishUnseenCommand command, LogPosition position, long time)
    {
        if (command.TopicId != topicId || !groups.ContainsKey(command.GroupId))
        {
            return;
        }

        foreach (var delivery in command.Deliveries.Where(IsMessage))
        {
            var course = CourseOf(command.GroupId, time);
            var isItsLease = course.DeliveryId == delivery.DeliveryId
                && (course.IsOpen || (course.IsDone && onceOnly.Contains(command.GroupId)));
            if (!isItsLease && (course.DeliveryId != 0 || course.IsDone))
            {
                continue;
            }

            Events.RemoveAll(happened =>
                happened.Kind == TraceEventKind.Delivered
                && happened.Group == groups[command.GroupId]
                && happened.Position.Value == delivery.DeliveryId);
            course.Attempts = Math.Max(0, course.Attempts - 1);
            course.Finish();
            var (kind, sentence) = command.Reason == UnseenReason.TimeToLive
                ? (TraceEventKind.LivedTooLong, "finished without delivery: its time to live was over")
                : (TraceEventKind.FilteredOut, "the filter of the group left it out");
            Add(kind, position, time, command.GroupId, 0, "", 0, sentence);
        }
    }

    private void Take(SeekCommand command, LogPosition position, long time)
    {
        if (TargetOf(command.TopicId, command.GroupId, command.Queues) is not { } target)
        {
            return;
        }

        if (target > offset)
        {
            var course = CourseOf(command.GroupId, time);
            if (!course.IsDone)
            {
                course.Finish();
                Add(TraceEventKind.SetBehind, position, time, command.GroupId, 0, "", 0, "the group was set behind it by an operator");
            }
        }
        else if (_courses.Remove(command.GroupId))
        {
            Add(
                TraceEventKind.Replayed, position, time, command.GroupId, 0, "", 0,
                "the group was set back to before it: its attempts begin anew");
        }
    }

    private void Take(CommitOffsetCommand command, LogPosition position, long time)
    {
        if (TargetOf(command.TopicId, command.GroupId, command.Queues) > offset
            && CourseOf(command.GroupId, time) is { IsDone: false } course)
        {
            course.Finish();
            Add(TraceEventKind.SetBehind, position, time, command.GroupId, 0, "", 0, "the offset of the group was moved behind it");
        }
    }

    private long? TargetOf(int topic, int group, IReadOnlyList<QueueTarget> queues)
    {
        if (topic == topicId && groups.ContainsKey(group))
        {
            foreach (var target in queues)
            {
                if (target.QueueId == queueId)
                {
                    return target.Offset;
                }
            }
        }

        return null;
    }

    private void Take(ChangeInvisibleCommand command, LogPosition position, long time)
    {
        if (command.Change is not { } change)
        {
            foreach (var (groupId, course) in _courses)
            {
                if (course.DeliveryId != 0 && command.RenewedLeases.Contains(course.DeliveryId))
                {
                    // Renewed while it was open, and never shortened.
                    var renewed = CourseOf(groupId, time);
                    renewed.Deadline = !renewed.IsOpen ? renewed.Deadline : Math.Max(
                        renewed.Deadline,
                        Math.Min(time + command.InvisibleMicroseconds, renewed.StartedAt + command.RenewalMicrosecondsMax));
                }
            }

            return;
        }

        if (command.TopicId != topicId || !IsMessage(change) || !groups.ContainsKey(command.GroupId))
        {
            return;
        }

        var changed = CourseOf(command.GroupId, time);
        if (changed.IsDone)
        {
            return;
        }

        if (changed.DeliveryId != 0 && (!changed.IsOpen || changed.DeliveryId != change.DeliveryId))
        {
            Add(
                TraceEventKind.LateAnswer, position, time, command.GroupId, changed.Attempts, "", 0,
                "a change of its invisible time came too late: the message had become visible again");
            return;
        }

        changed.DeliveryId = change.DeliveryId;
        changed.Deadline = command.InvisibleMicroseconds <= 0 ? 0 : time + command.InvisibleMicroseconds;
        Add(
            TraceEventKind.RetryAsked, position, time, command.GroupId, changed.Attempts, "", time + command.InvisibleMicroseconds,
            command.InvisibleMicroseconds <= 0
                ? "given back by its consumer"
                : $"its consumer asked for another delivery at {Time(time + command.InvisibleMicroseconds)}");
        changed.IsRetry = true;
    }

    // What it names and is not finished it leaves as it is. Where the history began later, it is taken for finished.
    private void Take(ReplayCommand command, LogPosition position, long time)
    {
        if (command.TopicId != topicId
            || command.QueueId != queueId
            || !Holds(command.Ranges)
            || !groups.ContainsKey(command.GroupId))
        {
            return;
        }

        if (CourseOf(command.GroupId, time) is { IsOpen: false, IsDone: true } or { DeliveryId: 0, Attempts: 0 })
        {
            _courses[command.GroupId] = new Course();
            Add(TraceEventKind.Replayed, position, time, command.GroupId, 0, "", 0, "replayed to the group: its attempts begin anew");
        }
    }

    private void TakeForward(in RecordView record, LogPosition position)
    {
        var reference = DeadLetterEncoder.ReadReference(record);
        if (reference.TopicId != topicId || !IsMessage(reference.Delivery) || !groups.ContainsKey(reference.GroupId))
        {
            return;
        }

        var course = CourseOf(reference.GroupId, record.StoreTime);
        var isOwed = reference.Delivery.DeliveryId == 0;
        if (course.IsDone || (!isOwed && course.DeliveryId != 0 && course.DeliveryId != reference.Delivery.DeliveryId))
        {
            return;
        }

        course.Finish();
        Add(
            TraceEventKind.DeadLettered, position, record.StoreTime, reference.GroupId, course.Attempts, "", 0,
            DeadLetterEncoder.ReadOrigin(record)?.Reason switch
            {
                DeadLetterReason.AskedByReceiver => "its consumer moved it to the dead letters",
                DeadLetterReason.DroppedByOperator => "parked, and moved to the dead letters by an operator",
                DeadLetterReason.Expired => "its time to live was over: moved to the dead letters without delivery",
                _ => "out of attempts: moved to the dead letters",
            });
    }

    private void TakeResend(in RecordView record, LogPosition position)
    {
        var reference = LetterEncoder.ReadReference(record);
        if (reference.TopicId == topicId && reference.QueueId == queueId && reference.Offset == offset)
        {
            Events.Add(new TraceEvent(
                TraceEventKind.SentAgain, record.StoreTime, position, "", 0, "", 0, "sent to its origin topic again"));
        }
    }

    private void AddForAll(LogPosition position, long time, string sentence)
    {
        EndAt(time);
        foreach (var course in _courses.Values)
        {
            course.Finish();
        }

        Events.Add(new TraceEvent(TraceEventKind.GivenUp, time, position, "", 0, "", 0, sentence));
    }

    private void Add(
        TraceEventKind kind, LogPosition position, long time, int groupId, int attempt, string client, long until, string sentence) =>
        Events.Add(new TraceEvent(kind, time, position, groups[groupId], attempt, client, until, sentence));

    private bool Holds(IReadOnlyList<OffsetRange> ranges)
    {
        foreach (var range in ranges)
        {
            if (offset >= range.First && offset < range.End)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsMessage(DeliveryReference delivery) => delivery.QueueId == queueId && delivery.Offset == offset;

    private Course CourseOf(int groupId, long time)
    {
        if (!_courses.TryGetValue(groupId, out var course))
        {
            _courses.Add(groupId, course = new Course());
        }

        EndWhenDue(groupId, course, time);
        return course;
    }

    private void EndWhenDue(int groupId, Course course, long time)
    {
        if (course.IsOpen && course.Deadline <= time)
        {
            Add(
                TraceEventKind.Expired, new LogPosition(course.DeliveryId), course.Deadline, groupId, course.Attempts, "", 0,
                course.IsRetry ? "visible again for its next delivery" : "nobody acknowledged it in time");
            course.Close();
        }
    }

    /// <summary>What became of the message in one group so far.</summary>
    private sealed class Course
    {
        public int Attempts { get; set; }

        public long DeliveryId { get; set; }

        public long StartedAt { get; set; }

        public long Deadline { get; set; }

        public bool IsRetry { get; set; }

        public bool IsDone { get; set; }

        public bool IsOpen => !IsDone && Deadline != 0;

        public void Close()
        {
            Deadline = 0;
            IsRetry = false;
        }

        public void Finish()
        {
            IsDone = true;
            Close();
        }
    }
}
