using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;

namespace Dledger.Conformance.Tests.Items;

/// <summary>
/// A message with auto_renew belongs to its consumer as long as that one is alive. Leases last 60 s and are renewed for 90 s
/// after the last sign of life, so a dead consumer's messages come again after 150 s at the latest.
/// </summary>
public sealed class LivingConsumerItem(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Item_48_an_auto_renewed_message_stays_with_its_living_consumer()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        using var consumer = shared.NewClient();
        var held = await Liveness.HoldAsync(consumer, topic, group);
        var clock = Stopwatch.StartNew();
        using var beats = new PeriodicTimer(TimeSpan.FromSeconds(10));

        var seen = new List<Message>();
        while (clock.Elapsed < Letter.Of(TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(80)))
        {
            await beats.WaitForNextTickAsync();
            await consumer.HeartbeatAsync(group);
            seen.AddRange(await shared.Client.GlanceAsync(topic, group));
        }

        var acked = await consumer.AckAsync(topic, group, held.SystemProperties.ReceiptHandle);

        Assert.Empty(seen);
        Assert.Equal(Code.Ok, acked.Status.Code);
    }
}

/// <summary>In a class of its own, because it takes long.</summary>
public sealed class DeadConsumerItem(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Item_49_an_auto_renewed_message_of_a_dead_consumer_comes_again()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        Message held;
        using (var consumer = shared.NewClient())
        {
            held = await Liveness.HoldAsync(consumer, topic, group);
        }

        var again = await shared.Client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(160));

        Assert.Equal(held.SystemProperties.MessageId, again.SystemProperties.MessageId);
        Assert.Equal(2, again.SystemProperties.DeliveryAttempt);
    }
}

/// <summary>In a class of its own, because it takes long.</summary>
public sealed class ForgottenClientItem(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Item_21_a_silent_client_is_forgotten_and_one_with_heartbeats_is_not()
    {
        var (topic, silentGroup) = await shared.PrepareAsync(messages: 1);
        var beatingGroup = await shared.NewGroupAsync();
        using var silent = shared.NewClient();
        using var beating = shared.NewClient("RUST");
        await Liveness.HoldAsync(silent, topic, silentGroup);
        await Liveness.HoldAsync(beating, topic, beatingGroup);
        using var beats = new PeriodicTimer(TimeSpan.FromSeconds(30));
        using var watcher = shared.NewClient();

        var again = watcher.AwaitMessageAsync(topic, silentGroup, TimeSpan.FromSeconds(200));
        while (!again.IsCompleted)
        {
            await Task.WhenAny(again, beats.WaitForNextTickAsync().AsTask());
            await beating.HeartbeatAsync(beatingGroup);
        }

        Assert.Equal(2, (await again).SystemProperties.DeliveryAttempt);
        Assert.Empty(await watcher.GlanceAsync(topic, beatingGroup));
    }
}

/// <summary>In a class of its own, because it takes long.</summary>
public sealed class PartingClientItem(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Item_60_after_its_goodbye_the_messages_of_a_client_are_renewed_no_longer()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        using var consumer = shared.NewClient();
        await Liveness.HoldAsync(consumer, topic, group);

        var parted = await consumer.Messaging.NotifyClientTerminationAsync(
            new NotifyClientTerminationRequest { Group = TestClient.Resource(group) }, consumer.Options());
        var again = await shared.Client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(75));

        Assert.Equal(Code.Ok, parted.Status.Code);
        Assert.Equal(2, again.SystemProperties.DeliveryAttempt);
    }
}

internal static class Liveness
{
    /// <summary>Receives the only message as push consumers do: the server keeps it invisible.</summary>
    public static async Task<Message> HoldAsync(TestClient consumer, string topic, string group) =>
        Assert.Single(await consumer.ReceiveAsync(topic, group, request =>
        {
            request.AutoRenew = true;
            request.InvisibleDuration = null;
        }));
}
