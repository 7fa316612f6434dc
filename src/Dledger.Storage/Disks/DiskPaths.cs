namespace Dledger.Storage.Disks;

/// <summary>Paths as <see cref="IDisk"/> takes them.</summary>
public static class DiskPaths
{
    /// <summary>The directory that holds a path; "" for a name in the root.</summary>
    public static string ParentOf(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash < 0 ? "" : path[..slash];
    }

    /// <summary>A name inside a directory.</summary>
    public static string Join(string directory, string name) => directory.Length == 0 ? name : $"{directory}/{name}";
}
