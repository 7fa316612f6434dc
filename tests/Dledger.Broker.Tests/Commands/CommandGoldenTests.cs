using Dledger.Broker.Commands;
using Dledger.Broker.DeadLetters;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Routes;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;
using Dledger.Primitives;
using Dledger.Storage.Records;
using Dledger.Testing.Golden;

namespace Dledger.Broker.Tests.Commands;

public sealed class CommandGoldenTests
{
    [Fact]
    public void A_topic_upsert_is_frozen()
    {
        var change = new TopicChange { Name = "topic", RetentionTime = TimeSpan.FromHours(2), RetentionBytes = 0 };
        var command = new TopicUpsertCommand(
            UpsertMode.Update,
            "topic",
            8,
            MessageTypeSet.Of(MessageType.Normal, MessageType.Fifo),
            TopicSettingsCodec.Encode(change));

        GoldenFile.Check("topic-upsert-v3.hex", command.Encode());
        Assert.Equal(command.Encode(), TopicUpsertCommand.Decode(command.Encode()).Encode());
    }

    [Fact]
    public void A_setting_of_a_later_version_stops_the_machine()
    {
        var settings = new[] { Setting.Of(60_000, 1) };

        Assert.Throws<InvariantViolationException>(() => TopicSettingsCodec.Apply(TopicSettings.Default, settings));
        Assert.Throws<InvariantViolationException>(() => GroupSettingsCodec.Apply(GroupSettings.Default, settings));
    }

    [Fact]
    public void The_records_of_a_transaction_are_frozen()
    {
        var draft = TestBroker.Draft("body", "tag") with { Type = MessageType.Transaction };
        var topic = new TopicView(3, "topic", 2, MessageTypeSet.Of(MessageType.Transaction), 0);
        Assert.True(MessageEncoder.TryEncode([draft, draft], topic, 1, null, TopicDirectory.Empty, out var messages, out _));
        var halves = TransactionEncoder.EncodeHalves(messages.Span, 2, TimeSpan.FromSeconds(2));
        Assert.True(RecordView.TryParseUnchecked(halves, out var first, out _));
        Assert.True(RecordView.TryParseUnchecked(halves.AsSpan(first.Length), out var second, out _));
        var end = new EndTransactionCommand(TransactionDecision.Committed, TransactionDecider.Operator, [64, 4_096]);
        var check = new TransactionCheckCommand([64, 4_096]);
        var copy = TransactionEncoder.EncodeCopy(
            second, RecordKind.TransactionPublish, 3, 1, new TransactionReference(4_096, 1));
        Assert.True(RecordView.TryParseUnchecked(copy, out var published, out _));

        GoldenFile.Check("half-records-v1.hex", halves);
        GoldenFile.Check("transaction-publish-record-v1.hex", copy);
        GoldenFile.Check("end-transaction-v1.hex", end.Encode());
        GoldenFile.Check("transaction-check-v1.hex", check.Encode());
        Assert.Equal(new HalfMark(first.Length, 2, 2_000_000), HalfMark.Read(second));
        Assert.Equal(new TransactionReference(4_096, 1), TransactionReference.Read(published));
        Assert.Equal(end.Encode(), EndTransactionCommand.Decode(end.Encode()).Encode());
        Assert.Equal(check.Ids, TransactionCheckCommand.Decode(check.Encode()).Ids);
    }

    [Fact]
    public void A_topic_trim_is_frozen()
    {
        var command = new TopicTrimCommand(3, new TopicRetention(7_200_000_000, 1 << 30), [(0, 5), (7, 1_000)]);

        GoldenFile.Check("topic-trim-v1.hex", command.Encode());
        Assert.Equal(command.Encode(), TopicTrimCommand.Decode(command.Encode()).Encode());
    }

    [Fact]
    public void The_records_of_lite_topics_are_frozen()
    {
        var create = new LiteCreateCommand(3, "session-1");
        var end = new LiteEndCommand(3, IsForced: true, ["session-1", "session-2"]);

        GoldenFile.Check("lite-create-v1.hex", create.Encode());
        GoldenFile.Check("lite-end-v1.hex", end.Encode());
        Assert.Equal(create.Encode(), LiteCreateCommand.Decode(create.Encode()).Encode());
        Assert.Equal(end.Encode(), LiteEndCommand.Decode(end.Encode()).Encode());
    }

    [Fact]
    public void A_seek_is_frozen()
    {
        var command = new SeekCommand(5, 3, [new QueueTarget(0, 7), new QueueTarget(2, 1_000)]);

        GoldenFile.Check("seek-v1.hex", command.Encode());
        Assert.Equal(command.Encode(), SeekCommand.Decode(command.Encode()).Encode());
        Assert.True(SeekCommand.IsSeek(command.Encode()));
        Assert.False(SeekCommand.IsSeek(new SubscribeCommand(5, 3).Encode()));
    }

    [Fact]
    public void A_committed_offset_is_frozen()
    {
        var command = new CommitOffsetCommand(5, 3, [new QueueTarget(2, 1_000)]);

        GoldenFile.Check("commit-offset-v1.hex", command.Encode());
        Assert.Equal(command.Encode(), CommitOffsetCommand.Decode(command.Encode()).Encode());
    }

    [Fact]
    public void A_log_start_is_frozen() =>
        GoldenFile.Check("log-start-v1.hex", new LogStartCommand(new LogPosition(4_096)).Encode());

    [Fact]
    public void A_name_is_frozen()
    {
        GoldenFile.Check("name-v1.hex", new NameCommand("topic").Encode());
        Assert.Equal("topic", NameCommand.Decode(new NameCommand("topic").Encode()).Name);
    }

    [Fact]
    public void A_group_upsert_is_frozen_with_both_kinds_of_backoff()
    {
        var table = new GroupUpsertCommand(
            UpsertMode.Create,
            "group",
            true,
            GroupStart.Latest,
            GroupSettingsCodec.Encode(new GroupSettings
            {
                MaxAttempts = 3,
                Backoff = BackoffPolicy.Customized([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)]),
            }));
        var formula = table with
        {
            Settings = GroupSettingsCodec.Encode(new GroupSettings
            {
                Backoff = BackoffPolicy.Exponential(TimeSpan.FromSeconds(5), TimeSpan.FromHours(2), 1.5),
            }),
        };

        GoldenFile.Check("group-upsert-table-v2.hex", table.Encode());
        GoldenFile.Check("group-upsert-exponential-v2.hex", formula.Encode());
        Assert.Equal(table.Encode(), GroupUpsertCommand.Decode(table.Encode()).Encode());
        Assert.Equal(formula.Encode(), GroupUpsertCommand.Decode(formula.Encode()).Encode());
    }

    [Fact]
    public void A_lease_is_frozen()
    {
        var command = new LeaseCommand(3, 4, 30_000_000, true, 0x1122334455667788, new UInt128(1, 2), 0x55,
        [
            new LeaseQueue(0, [new OffsetRange(5, 2)], []) { AsideBelow = 3, Base = 6, GroupHashes = [7, -8] },
            new LeaseQueue(7, [new OffsetRange(1, 1), new OffsetRange(3, 1)], [new OffsetRange(2, 1)]),
        ]);

        GoldenFile.Check("lease-v2.hex", command.Encode());
        Assert.Equal(command.Encode(), LeaseCommand.Decode(command.Encode()).Encode());
    }

    [Fact]
    public void A_replay_is_frozen()
    {
        var command = new ReplayCommand(3, 4, 7, 1_000_000, [new OffsetRange(5, 2), new OffsetRange(9, 1)], [7, -8, 0]);
        var letter = new ReplayCommand(3, 4, 7, 1_000_000, [new OffsetRange(5, 1)], []) { Letter = new LetterReference(9, 1, 1_000) };

        GoldenFile.Check("replay-v2.hex", command.Encode());
        GoldenFile.Check("replay-letter-v2.hex", letter.Encode());
        Assert.Equal(letter.Encode(), ReplayCommand.Decode(letter.Encode()).Encode());
        Assert.Equal(command.Encode(), ReplayCommand.Decode(command.Encode()).Encode());
    }

    [Fact]
    public void The_coming_and_going_of_members_is_frozen()
    {
        var join = new BroadcastJoinCommand(3, "client@1", 1_000, []);
        var presence = BroadcastJoinCommand.OfPresence([4, 5]);
        var end = new BroadcastEndCommand([new MemberEnd(4, 1_234_567, true), new MemberEnd(5, 7_654_321, false)]);

        GoldenFile.Check("broadcast-join-v1.hex", join.Encode());
        GoldenFile.Check("broadcast-presence-v1.hex", presence.Encode());
        GoldenFile.Check("broadcast-end-v1.hex", end.Encode());
        Assert.Equal(join.Encode(), BroadcastJoinCommand.Decode(join.Encode()).Encode());
        Assert.Equal(presence.Encode(), BroadcastJoinCommand.Decode(presence.Encode()).Encode());
        Assert.Equal(end.Encode(), BroadcastEndCommand.Decode(end.Encode()).Encode());
    }

    [Fact]
    public void A_lease_with_keys_is_frozen()
    {
        var command = new LeaseCommand(3, 4, 30_000_000, false, 7, UInt128.Zero, 0,
        [
            new LeaseQueue(1, [new OffsetRange(10, 2)], [])
            {
                Keys = [new UInt128(1, 2), UInt128.Zero],
                Repeats = [new OffsetRange(12, 1)],
                RepeatKeys = [new UInt128(3, 4)],
            },
        ]);

        GoldenFile.Check("lease-v3.hex", command.Encode());
        Assert.Equal(command.Encode(), LeaseCommand.Decode(command.Encode()).Encode());
    }

    [Fact]
    public void Routes_of_a_topic_and_the_places_of_a_routed_record_are_frozen()
    {
        Assert.True(MessageFilter.TryParseSql("price > 10", out var sql, out _));
        var routes = new[] { new TopicRoute("all", 6, MessageFilter.All), new TopicRoute("dear", 7, sql) };
        var topic = new TopicView(5, "topic", 4, MessageTypeSet.Normal, 0)
        {
            Settings = TopicSettings.Default with { Routes = routes },
        };
        var topics = new TopicDirectory(
            [topic, new TopicView(6, "six", 2, MessageTypeSet.Normal, 0), new TopicView(7, "seven", 3, MessageTypeSet.Normal, 0)]);
        var draft = TestBroker.Draft("body") with { UserProperties = [KeyValuePair.Create("price", "11")] };

        Assert.True(MessageEncoder.TryEncode([draft], topic, 3, null, topics, out var record, out _));

        GoldenFile.Check("routes-v1.hex", RouteCodec.Encode(routes).Content.Span);
        GoldenFile.Check("routed-record-v1.hex", record.Span);
        Assert.True(RecordView.TryParseUnchecked(record.Span, out var view, out _));
        Assert.Equal([1, 0], new[] { RoutedPlaces.QueueOf(view, 6), RoutedPlaces.QueueOf(view, 7) });
        Assert.Equal(routes, RouteCodec.Apply([], RouteCodec.Encode(routes)).Select((route, n) => route with { Filter = routes[n].Filter }));
    }

    [Fact]
    public void Messages_that_nobody_was_given_are_frozen()
    {
        var command = new FinishUnseenCommand(
            UnseenReason.TimeToLive, 3, 4, [new DeliveryReference(1, 2, 1024), new DeliveryReference(0, 9, 2048)]);

        GoldenFile.Check("finish-unseen-v2.hex", command.Encode());
        Assert.Equal(command.Encode(), FinishUnseenCommand.Decode(command.Encode()).Encode());
    }

    [Fact]
    public void An_acknowledgement_is_frozen()
    {
        var command = new AckCommand(3, 4, [new DeliveryReference(1, 2, 1024), new DeliveryReference(0, 9, 2048)]);

        GoldenFile.Check("ack-v1.hex", command.Encode());
        Assert.Equal(command.Encode(), AckCommand.Decode(command.Encode()).Encode());
    }

    [Fact]
    public void A_change_of_the_invisible_time_is_frozen_in_both_forms()
    {
        var change = ChangeInvisibleCommand.OfChange(3, 4, new DeliveryReference(1, 2, 1024), 5_000_000, suspend: true)
            with
        { RaisesToBackoff = true };
        var renewal = ChangeInvisibleCommand.OfRenewal([1024, 2048], 60_000_000, 10_800_000_000);

        GoldenFile.Check("change-invisible-v2.hex", change.Encode());
        GoldenFile.Check("renewal-v2.hex", renewal.Encode());
        Assert.Equal(change.Encode(), ChangeInvisibleCommand.Decode(change.Encode()).Encode());
        Assert.Equal(renewal.Encode(), ChangeInvisibleCommand.Decode(renewal.Encode()).Encode());
    }

    [Fact]
    public void The_reference_to_a_letter_is_frozen()
    {
        var reference = new LetterReference(3, 4, 0x1122334455667788);

        GoldenFile.Check("letter-reference-v1.hex", reference.Encode());
        Assert.Equal(reference, LetterReference.Decode(reference.Encode()));
    }

    [Fact]
    public void A_pause_is_frozen()
    {
        var command = new GroupPauseCommand(true, 600_000_000, "group", "why");

        GoldenFile.Check("group-pause-v1.hex", command.Encode());
        Assert.Equal(command, GroupPauseCommand.Decode(command.Encode()));
    }

    [Fact]
    public void A_decision_about_parked_messages_is_frozen()
    {
        var giveUp = new ParkingCommand(ParkingAction.GiveUp, 3, 4, 1, 2, null, 1024);
        var release = new ParkingCommand(ParkingAction.Release, 3, 0, -1, -1, 77, 0);

        GoldenFile.Check("parking-give-up-v1.hex", giveUp.Encode());
        GoldenFile.Check("parking-release-v1.hex", release.Encode());
        Assert.Equal(giveUp, ParkingCommand.Decode(giveUp.Encode()));
        Assert.Equal(release, ParkingCommand.Decode(release.Encode()));
    }

    [Fact]
    public void A_subscription_at_the_end_is_frozen()
    {
        GoldenFile.Check("subscribe-v1.hex", new SubscribeCommand(3, 4).Encode());
        Assert.Equal(new SubscribeCommand(3, 4), SubscribeCommand.Decode(new SubscribeCommand(3, 4).Encode()));
    }

    [Fact]
    public void A_message_record_is_frozen()
    {
        GoldenFile.Check("message-record-v1.hex", EncodeMessage());
    }

    [Fact]
    public void A_forward_record_is_frozen()
    {
        Assert.True(RecordView.TryParse(EncodeMessage(), out var source, out _));

        var forward = DeadLetterEncoder.Encode(
            source, "topic", 9, 1, 3, DeadLetterReason.MaxAttempts, new ForwardReference(3, 5, new DeliveryReference(2, 7, 1024)));

        GoldenFile.Check("forward-record-v3.hex", forward);
        Assert.True(RecordView.TryParse(forward, out var record, out _));
        Assert.Equal(
            new DeadLetterOrigin(
                "topic", "id-body", 2, new QueueOffset(7), 3, DeadLetterReason.MaxAttempts, StoredAtMicroseconds: 0),
            DeadLetterEncoder.ReadOrigin(record));
        Assert.Equal(
            new ForwardReference(3, 5, new DeliveryReference(2, 7, 1024)), DeadLetterEncoder.ReadReference(record));
    }

    [Fact]
    public void Bytes_that_are_not_a_command_stop_the_machine_instead_of_being_guessed()
    {
        var ack = new AckCommand(3, 4, [new DeliveryReference(1, 2, 1024)]).Encode();
        var newer = ack.ToArray();
        newer[0] = 2;
        var overlong = ack.ToArray();
        overlong[9] = 200;

        Assert.Throws<InvariantViolationException>(() => AckCommand.Decode(newer));
        Assert.Throws<InvariantViolationException>(() => AckCommand.Decode(overlong));
        Assert.Throws<InvariantViolationException>(() => AckCommand.Decode(ack.AsSpan(0, ack.Length - 1)));
        Assert.Throws<InvariantViolationException>(() => AckCommand.Decode([.. ack, 0]));
    }

    private static byte[] EncodeMessage()
    {
        var draft = TestBroker.Draft("body", "tag", "order") with
        {
            Keys = ["k1", "k2"],
            UserProperties = [KeyValuePair.Create("name", "value")],
            TraceContext = "trace",
        };
        var topic = new TopicView(5, "topic", 4, MessageTypeSet.Of(MessageType.Fifo), 0);
        Assert.True(MessageEncoder.TryEncode([draft], topic, 2, null, TopicDirectory.Empty, out var record, out _));
        return record.Memory.ToArray();
    }
}
