using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Quotas;

/// <summary>
/// What topics and clients may send. Volatile, the serving leader's: whoever begins to serve begins with full buckets. Any thread; nothing
/// is locked where there is no quota.
/// </summary>
internal sealed class ProduceQuotas(QuotaRates ofClient, QuotaClock clock, SeededDefect defect)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, QuotaMeter> _topics = [];
    private readonly ClientMeters _clients = new(ofClient);

    /// <summary>Takes all of a batch or nothing; then why, and when to try again.</summary>
    public BrokerFailure? TryTake(TopicView topic, string clientId, int messages, long bytes)
    {
        var ofTopic = topic.Settings.ProduceQuota;
        var isClientLimited = ofClient.IsOn && clientId.Length > 0;
        if (!ofTopic.IsOn && !isClientLimited)
        {
            return null;
        }

        messages = defect == SeededDefect.QuotaPerSend ? 1 : messages;
        lock (_lock)
        {
            var now = clock.Now;
            var meter = ofTopic.IsOn ? OfTopic(topic.Id) : null;
            var client = isClientLimited ? _clients.Of(IdentityHash.OfClient(clientId), now) : null;
            var (wait, isBytes) = meter?.WaitFor(ofTopic, messages, bytes, now) ?? default;
            var (clientWait, isClientBytes) = client?.WaitFor(ofClient, messages, bytes, now) ?? default;
            if (wait == 0 && clientWait == 0)
            {
                meter?.Take(ofTopic, messages, bytes);
                client?.Take(ofClient, defect == SeededDefect.ClientSendsNotCounted ? 0 : messages, bytes);
                return null;
            }

            // The longer of the two waits: then both let it pass.
            return wait >= clientWait
                ? QuotaRefusal.Of($"the topic '{topic.Name}' takes", ofTopic, isBytes, wait, "nothing was stored")
                : QuotaRefusal.Of("a client may send", ofClient, isClientBytes, clientWait, "nothing was stored");
        }
    }

    /// <summary>What was taken was not proposed after all.</summary>
    public void GiveBack(TopicView topic, string clientId, int messages, long bytes)
    {
        var ofTopic = topic.Settings.ProduceQuota;
        var isClientLimited = ofClient.IsOn && clientId.Length > 0;
        if (!ofTopic.IsOn && !isClientLimited)
        {
            return;
        }

        messages = defect == SeededDefect.QuotaPerSend ? 1 : messages;
        lock (_lock)
        {
            if (ofTopic.IsOn)
            {
                OfTopic(topic.Id).GiveBack(ofTopic, messages, bytes);
            }

            if (isClientLimited)
            {
                _clients.Of(IdentityHash.OfClient(clientId), clock.Now).GiveBack(ofClient, messages, bytes);
            }
        }
    }

    /// <summary>A topic is gone.</summary>
    public void Forget(int topicId)
    {
        lock (_lock)
        {
            _topics.Remove(topicId);
        }
    }

    private QuotaMeter OfTopic(int topicId)
    {
        if (!_topics.TryGetValue(topicId, out var meter))
        {
            _topics.Add(topicId, meter = new QuotaMeter());
        }

        return meter;
    }
}
