namespace Dledger.Broker.Timers;

/// <summary>What the sender of a delayed message keeps in order to take it back.</summary>
/// <param name="RaftGroup">Whose log the message is in.</param>
/// <param name="TopicId">Its topic.</param>
/// <param name="Key">Where it waited when it was stored.</param>
/// <param name="MessageId">Its id, to be told in the answer.</param>
internal readonly record struct RecallHandle(int RaftGroup, int TopicId, TimerKey Key, string MessageId);
