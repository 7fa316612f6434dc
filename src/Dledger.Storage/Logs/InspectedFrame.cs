using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;

namespace Dledger.Storage.Logs;

/// <summary>One record of a dumped frame.</summary>
/// <param name="Position">Where it begins in the log.</param>
/// <param name="Header">Its header.</param>
/// <param name="Fault">What is wrong with it, or null.</param>
public sealed record InspectedRecord(LogPosition Position, RecordHeader Header, string? Fault);

/// <summary>One frame of a dump.</summary>
/// <param name="Header">Its header.</param>
/// <param name="Segment">The file that holds it.</param>
/// <param name="Records">Its records in order.</param>
public sealed record InspectedFrame(FrameHeader Header, string Segment, IReadOnlyList<InspectedRecord> Records);
