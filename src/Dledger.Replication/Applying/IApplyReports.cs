using Dledger.Primitives;

namespace Dledger.Replication.Applying;

/// <summary>What the apply loop tells its node. Called on the apply thread.</summary>
internal interface IApplyReports
{
    /// <summary>The state machine is restored, and <see cref="ApplyLoop.Restored"/> tells from where it continues.</summary>
    void Restored();

    /// <summary>Frames were applied; a leader that waits for it may cut again.</summary>
    void AppliedMoved();

    /// <summary>This node began to serve.</summary>
    void ServingBegan(Term term);

    /// <summary>A committed frame cannot be read back; the loop has ended, nothing else is wrong.</summary>
    void LogUnreadable(string reason);

    /// <summary>The state machine or the loop failed and has ended.</summary>
    void ApplyFailed(Exception fault);
}
