namespace Dledger.Storage.Disks;

/// <summary>Makes all that was written to a disk since it was begun durable, contents and names, in one go.</summary>
public interface IWholeSync : IDisposable
{
    /// <summary>Returns when everything is durable. Fails as <see cref="IDiskFile.Sync"/> does.</summary>
    void Run();
}
