using Dledger.Broker.Groups;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Lites;

namespace Dledger.Broker.Topics;

/// <summary>A topic and its queues. Replicated state, owned by the apply loop.</summary>
internal sealed class TopicState(TopicView view)
{
    /// <summary>Its settings as published; replaced when they change.</summary>
    public TopicView View { get; set; } = view;

    public int Id => View.Id;

    /// <summary>Which queue belongs to which lite topic; null for a topic of another type.</summary>
    public LiteTable? Lites => View.Lites;

    /// <summary>By queue id.</summary>
    public List<QueueState> Queues { get; } = [];

    /// <summary>The messages that it knows by their ids.</summary>
    public IdWindow KnownIds { get; } = new();

    /// <summary>The groups that read the topic, by group id ascending.</summary>
    public SortedDictionary<int, Subscription> Subscriptions { get; } = [];
}
