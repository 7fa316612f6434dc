namespace Dledger.Broker.Lites;

/// <summary>How a client changes the set of lite topics that it is given messages of. The numbers are those of the protocol.</summary>
public enum LiteAction
{
    /// <summary>Adds to the set.</summary>
    PartialAdd = 0,

    /// <summary>Takes out of the set.</summary>
    PartialRemove = 1,

    /// <summary>This is the set.</summary>
    CompleteAdd = 2,

    /// <summary>Empties the set.</summary>
    CompleteRemove = 3,
}

/// <summary>One change of a client's set.</summary>
/// <param name="Group">Its group.</param>
/// <param name="Topic">The parent, a topic of the type LITE.</param>
/// <param name="ClientId">Whose set it is.</param>
/// <param name="Action">What to do with the names.</param>
/// <param name="Names">Lite topics; they need not exist.</param>
/// <param name="Offset">Where the group goes in those that are added and exist. Other clients of the group go with it.</param>
public sealed record LiteSync(
    string Group, string Topic, string ClientId, LiteAction Action, IReadOnlyList<string> Names, LiteOffset Offset = default);
