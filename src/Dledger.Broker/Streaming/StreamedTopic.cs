using Dledger.Broker.Topics;

namespace Dledger.Broker.Streaming;

/// <summary>How records that clients encoded get into a topic.</summary>
public static class StreamedTopic
{
    /// <summary>
    /// Whether they go into the log as they are. Otherwise the broker decides on more than their encoding says: routes write where else a
    /// message stands, bands of priority and lite topics choose its queue.
    /// </summary>
    public static bool TakesRecords(TopicView topic) => topic.Settings.Routes.Count == 0 && !topic.IsPriority && !topic.IsLite;

    /// <summary>
    /// Whether a batch that its producer compressed stays as it is. Where message ids are remembered each message is looked up by its own
    /// hash, which a compressed batch does not show.
    /// </summary>
    public static bool KeepsCompression(TopicView topic) => TakesRecords(topic) && !topic.IdWindow.IsOn;
}
