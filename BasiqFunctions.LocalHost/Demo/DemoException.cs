namespace BasiqFunctions.LocalHost.Demo;

/// <summary>The demo cannot go on; the message says where it stopped.</summary>
internal sealed class DemoException(string message) : Exception(message);
